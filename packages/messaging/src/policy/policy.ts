import { type Clock, messageBreaker, sleep, toError } from '@tailwater/core'
import { BulkheadRejectedError, bulkhead } from 'cockatiel'
import { messagingError } from '../errors.ts'
import { type BreakerState, PolicyBreaker } from './breaker.ts'
import { isBreakerOpen, isOwnFault } from './fault.ts'
import { type PolicyOptions, resolvePolicyOptions } from './policy_options.ts'

/** What is guarded, as far as it is seen from outside. */
export interface PolicyState {
  readonly name: string
  /** undefined without a breaker. */
  readonly breaker: BreakerState | undefined
  /** Calls that run, and that wait for a place. */
  readonly running: number
  readonly waiting: number
}

/** Guards calls to somebody else. */
export interface Policy {
  readonly name: string
  readonly state: PolicyState
  /**
   * Makes a call: again if it fails, unless a breaker is open; one of so many at once; for so long.
   *
   * @throws E_MESSAGE_BREAKER_OPEN, E_MESSAGE_BLOCKED (no place in the bulkhead), E_MESSAGE_TIMEOUT, and what the call throws at last
   */
  execute<T>(call: (signal: AbortSignal) => Promise<T> | T, options?: { signal?: AbortSignal }): Promise<T>
  /** Hears of the breaker's changes. */
  onBreaker(hear: (state: BreakerState) => void): () => void
}

/** Makes a policy. @throws E_OPTIONS */
export function createPolicy(name: string, given: PolicyOptions, clock: Clock): Policy {
  const options = resolvePolicyOptions(name, given)
  const hearers = new Set<(state: BreakerState) => void>()
  const places = options.bulkhead && bulkhead(options.bulkhead.limit, options.bulkhead.queue)
  const breaker =
    options.breaker &&
    new PolicyBreaker(name, options.breaker, clock, (state, error) => {
      if (messageBreaker.hasSubscribers) messageBreaker.publish({ policy: name, state, error })
      for (const hear of hearers) hear(state)
    })
  let running = 0

  async function timed<T>(call: (signal: AbortSignal) => Promise<T> | T, signal: AbortSignal | undefined): Promise<T> {
    running++
    try {
      return await withTimeout(clock, options.timeout, name, signal, call)
    } finally {
      running--
    }
  }

  async function placed<T>(call: () => Promise<T>): Promise<T> {
    if (!places) return call()
    try {
      return await places.execute(call)
    } catch (error) {
      throw error instanceof BulkheadRejectedError ? noPlace(name) : error
    }
  }

  async function execute<T>(
    call: (signal: AbortSignal) => Promise<T> | T,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      try {
        const once = () => placed(() => timed(call, signal))
        return await (breaker ? breaker.run(once) : once())
      } catch (error) {
        const isLast = attempt >= (options.retry?.attempts ?? 1)
        if (isLast || signal?.aborted || isOwnFault(error) || isBreakerOpen(error)) throw error
        await sleep(clock, options.retry!.waiting(attempt, toError(error)), signal)
      }
    }
  }

  return {
    name,
    get state() {
      const waiting = places && options.bulkhead ? options.bulkhead.queue - places.queueSlots : 0
      return { name, breaker: breaker?.state, running, waiting }
    },
    execute: (call, { signal } = {}) => execute(call, signal),
    onBreaker(hear) {
      hearers.add(hear)
      return () => void hearers.delete(hear)
    },
  }
}

async function withTimeout<T>(
  clock: Clock,
  timeout: number | undefined,
  name: string,
  outer: AbortSignal | undefined,
  call: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  const controller = new AbortController()
  const signal = outer ? AbortSignal.any([outer, controller.signal]) : controller.signal
  if (timeout === undefined) return call(signal)
  let cancel = () => {}
  const over = new Promise<never>((_, reject) => {
    cancel = clock.after(timeout, () => {
      const error = messagingError(
        'E_MESSAGE_TIMEOUT',
        `a call under policy '${name}' took longer than ${timeout} ms`,
        {
          policy: name,
        },
      )
      reject(error)
      controller.abort(error)
    })
  })
  try {
    return await Promise.race([call(signal), over])
  } finally {
    cancel()
  }
}

function noPlace(name: string): Error {
  return messagingError('E_MESSAGE_BLOCKED', `every place of policy '${name}' is taken, and so is its queue`, {
    policy: name,
  })
}
