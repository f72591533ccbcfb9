import {
  type Clock,
  type Duration,
  duration,
  notice,
  number,
  optional,
  resolveOptions,
  systemClock,
  value,
} from '@tailwater/core'
import { createEventLoopProbe, type EventLoopProbe, type EventLoopReading } from './event_loop_probe.ts'
import type { Exchange } from './exchange.ts'
import type { Middleware } from './middleware.ts'
import { problem, problemReply } from './problem.ts'

/**
 * Overload protection.
 *
 * Problem: past its capacity a process queues requests in its event loop, each waits longer than its client does, and the work
 * done is all for nobody. Refusing some at once keeps the rest within time.
 *
 * Method: every `window` the loop's delay (p99) and utilisation are read. The loop is overloaded if the delay is over `maxDelay`,
 * or over half of that while the utilisation is over `maxUtilisation`: a loop that is merely busy does its work, one that
 * is busy and late is filling up. From the second such window in a row (one alone is a garbage collection, or a neighbour on
 * the machine) the share of requests refused grows by a quarter a window; once the delay is below `maxDelay * resumeAt` it
 * shrinks by an eighth a window; between the two it stays. A share instead of a switch, because refusing everybody empties the
 * queue, lets everybody in, and so flaps; fast up and slow down for the same reason.
 *
 * Numbers: from calm to refusing all takes five windows, back takes eight. A decision costs one reading of the clock.
 * Sources: the two signals, @fastify/under-pressure; the unequal steps, additive increase and decrease as in RFC 5681.
 */

/** Windows in overload before anybody is refused. */
const PATIENCE = 2
/** Share of requests that is refused more after a window in overload. */
const STEP_UP = 1 / 4
/** Share of requests that is admitted again after a calm window. */
const STEP_DOWN = 1 / 8

/** Options of `overload`. */
export interface OverloadOptions {
  /** Delay of the event loop, p99 over a window, from which requests are refused. @default '500ms' */
  maxDelay?: Duration
  /** Utilisation, 0 to 1, from which half of `maxDelay` is enough. @default 0.98 */
  maxUtilisation?: number
  /** Part of `maxDelay`, at most a half, below which requests are admitted again. @default 0.4 */
  resumeAt?: number
  /** @default '1s' */
  window?: Duration
  /** What clients are told to wait. @default '2s' */
  retryAfter?: Duration
  /** Requests that are never refused: an overloaded process must still be seen and steered. @default paths under /health, /metrics and /tailwater */
  exempt?: (exchange: Exchange) => boolean
  /** @default createEventLoopProbe() */
  probe?: EventLoopProbe
  clock?: Clock
  /** Numbers from 0 to below 1, to choose whom to refuse. @default Math.random */
  random?: () => number
}

const isFunction = (given: unknown) => typeof given === 'function'
const isObject = (given: unknown) => typeof given === 'object' && given !== null
const EXEMPT = /^\/(?:health|metrics|tailwater)(?:\/|$)/

/** Checks the options of `overload` and fills in their defaults. @throws E_OPTIONS */
export function resolveOverloadOptions(options: OverloadOptions = {}) {
  return resolveOptions('overload', options, {
    maxDelay: duration({ min: 1, default: '500ms' }),
    maxUtilisation: number({ min: 0, max: 1, default: 0.98 }),
    resumeAt: number({ min: 0, max: 0.5, default: 0.4 }),
    window: duration({ min: 100, default: '1s' }),
    retryAfter: duration({ min: 1_000, default: '2s' }),
    exempt: value<(exchange: Exchange) => boolean>('a function', isFunction, {
      default: ({ path }) => EXEMPT.test(path),
    }),
    probe: optional(value<EventLoopProbe>('a probe with read and close', isObject)),
    clock: value<Clock>('a Clock', isObject, { default: systemClock }),
    random: value<() => number>('a function', isFunction, { default: Math.random }),
  })
}

/** What the protection sees and does, for metrics and health. */
export interface OverloadState extends EventLoopReading {
  /** Share of requests refused, 0 to 1. */
  refusing: number
}

/** The middleware, with what it sees. */
export interface OverloadProtection extends Middleware {
  state(): OverloadState
  /** Stops watching the event loop. */
  close(): void
}

/**
 * Refuses a share of the requests with 503 and `Retry-After` while the event loop is overloaded.
 *
 * Give it first place after `compression` and `cors`, so that refusing costs nothing.
 *
 * @throws E_OPTIONS on a wrong option
 */
export function overload(options?: OverloadOptions): OverloadProtection {
  const {
    exempt,
    probe = createEventLoopProbe(),
    clock,
    random,
    retryAfter,
    ...thresholds
  } = resolveOverloadOptions(options)
  const governor = createGovernor(thresholds)
  const wait = String(Math.ceil(retryAfter / 1_000))
  let readAt: number | undefined

  return {
    name: 'overload',
    before(exchange) {
      const now = clock.elapsed()
      const since = readAt === undefined ? Number.POSITIVE_INFINITY : now - readAt
      if (since >= thresholds.window) {
        // The first reading covers no time yet; it only starts the probe.
        const reading = probe.read()
        if (readAt !== undefined) governor.observe(reading, since)
        readAt = now
      }
      const { refusing } = governor.state()
      if (refusing === 0 || exempt(exchange) || random() >= refusing) return undefined
      // Returned, not thrown: what is refused by design is no fault for the log.
      return problemReply(
        problem(503, 'E_OVERLOADED', `The server has more to do than it can. Try again in ${wait} s.`, {
          headers: { 'retry-after': wait },
        }),
        exchange,
      )
    },
    state: governor.state,
    close: () => probe.close(),
  }
}

type Thresholds = Pick<ReturnType<typeof resolveOverloadOptions>, 'maxDelay' | 'maxUtilisation' | 'resumeAt' | 'window'>

/** Turns readings into the share to refuse. */
function createGovernor({ maxDelay, maxUtilisation, resumeAt, window }: Thresholds) {
  let state: OverloadState = { delay: 0, utilisation: 0, refusing: 0 }
  let strained = 0

  function next({ delay, utilisation }: EventLoopReading, since: number): number {
    const isOverloaded = delay > maxDelay || (delay > maxDelay / 2 && utilisation > maxUtilisation)
    strained = isOverloaded ? strained + 1 : 0
    if (isOverloaded) return strained < PATIENCE ? state.refusing : Math.min(1, state.refusing + STEP_UP)
    if (delay >= maxDelay * resumeAt) return state.refusing
    // A reading may stand for many windows in which no request came.
    return Math.max(0, state.refusing - STEP_DOWN * Math.floor(since / window))
  }

  return {
    state: () => state,
    observe(reading: EventLoopReading, since: number): void {
      const before = state.refusing
      state = { ...reading, refusing: next(reading, since) }
      if ((before === 0) !== (state.refusing === 0)) announce(state)
    },
  }
}

function announce({ refusing, delay, utilisation }: OverloadState): void {
  if (!notice.hasSubscribers) return
  const message =
    refusing > 0
      ? 'the event loop is overloaded: refusing a share of the requests'
      : 'the event loop has recovered: admitting all requests'
  notice.publish({
    source: 'http-overload',
    level: refusing > 0 ? 'warn' : 'info',
    message,
    fields: { refusing, delay, utilisation },
  })
}
