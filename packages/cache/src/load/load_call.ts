import { formatDuration } from '@tailwater/core'
import { cacheError } from '../errors.ts'
import type { Deadlines } from './deadlines.ts'
import type { Flight } from './flight.ts'
import type { LoadChain } from './load_chain.ts'
import { type Load, LoadWishes } from './load_context.ts'

/** One run of a load, and how long it may take. */
export interface LoadCall {
  deadlines: Deadlines
  chain: LoadChain
  flight: Flight
  load: Load
  key: string
  stale: unknown
  /** Milliseconds. */
  limit: number
  /** One of the two is called, once, and never before `callLoad` has returned. */
  onLoaded(value: unknown, wishes: LoadWishes): void
  onError(error: unknown): void
}

/**
 * Runs a load within its limit.
 *
 * It ends with E_CACHE_LOAD_TIMEOUT, or with whatever the load throws. One that goes on beyond its limit is not waited for, and what it brings is lost.
 */
export function callLoad(call: LoadCall): void {
  const { deadlines, key, stale, limit, onLoaded, onError } = call
  const wishes = new LoadWishes(key, stale)
  let isOver = false
  const deadline = deadlines.set(limit, () => {
    isOver = true
    const error = cacheError('E_CACHE_LOAD_TIMEOUT', `the load of '${key}' took longer than ${formatDuration(limit)}`, {
      key,
      limit,
    })
    onError(error)
    wishes.abort(error)
  })
  started(call, wishes).then(
    (value) => {
      if (isOver) return
      deadlines.drop(deadline)
      onLoaded(value, wishes)
    },
    (error: unknown) => {
      if (isOver) return
      deadlines.drop(deadline)
      onError(error)
    },
  )
}

/** A load that throws at once rejects like one that does so later. */
function started({ chain, flight, load }: LoadCall, wishes: LoadWishes): Promise<unknown> {
  try {
    return Promise.resolve(chain.call(flight, load, wishes))
  } catch (error) {
    return Promise.reject(error)
  }
}
