import { type Clock, formatDuration } from '@tailwater/core'
import { cacheError } from '../errors.ts'
import { type Load, LoadWishes } from './load_context.ts'

/** One run of a load, and how long it may take. */
export interface LoadCall {
  clock: Clock
  load: Load
  key: string
  stale: unknown
  /** Milliseconds. */
  limit: number
}

/** A loaded value with what the load said of it. */
export interface Loaded {
  readonly value: unknown
  readonly wishes: LoadWishes
}

/**
 * Runs a load within its limit.
 *
 * @throws E_CACHE_LOAD_TIMEOUT, and whatever the load throws. One that goes on beyond its limit is not waited for, and what it brings is lost
 */
export function callLoad({ clock, load, key, stale, limit }: LoadCall): Promise<Loaded> {
  const wishes = new LoadWishes(key, stale)
  return new Promise((resolve, reject) => {
    const cancel = clock.after(limit, () => {
      const error = cacheError(
        'E_CACHE_LOAD_TIMEOUT',
        `the load of '${key}' took longer than ${formatDuration(limit)}`,
        { key, limit },
      )
      reject(error)
      wishes.abort(error)
    })
    started(load, wishes).then(
      (value) => {
        cancel()
        resolve({ value, wishes })
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}

/** A load that throws at once rejects like one that does so later. */
function started(load: Load, wishes: LoadWishes): Promise<unknown> {
  try {
    return Promise.resolve(load(wishes))
  } catch (error) {
    return Promise.reject(error)
  }
}
