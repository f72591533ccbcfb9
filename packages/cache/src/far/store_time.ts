import type { Clock } from '@tailwater/core'

/**
 * The store's time, as this process reckons it.
 *
 * Whether a shared entry is fresh must not depend on whose wall clock is right: writer and reader may be minutes apart. So entries are stamped with
 * the store's time, and ages are reckoned in it. Asking the store at each read would cost a call, so the process measures once in a while
 * how far its monotonic clock is from the store's (Cristian's algorithm): the answer is taken for true in the middle of the call, and is wrong
 * by half of the call's time at most. Quartz drifts by less than 0.1 s in ten minutes.
 *
 * In a cluster the time is that of one node. After a failover it may step by what the machines' clocks differ: measure again
 * after a lost connection. Whatever is wrong with it, the store forgets an entry when its whole time is over, by its own clock.
 */
export interface StoreTime {
  /** Milliseconds since the Unix epoch by the store's clock; undefined before the first measurement. @param elapsed a reading of the clock that is at hand */
  now(elapsed?: number): number | undefined
  /** Asks the store. Of answers that come together the one counts that was under way the shortest time. @throws what the store throws */
  measure(): Promise<void>
  /** Half the time that the measurement was under way: how wrong `now` may have been then. */
  readonly error: number
}

/** Milliseconds after which a worse measurement is better than an old one. */
const MEMORY_MS = 600_000

/** @param ask the store's time, such as `backend.time` */
export function createStoreTime(ask: () => Promise<number>, clock: Clock): StoreTime {
  let offset: number | undefined
  let error = Number.POSITIVE_INFINITY
  let measuredAt = Number.NEGATIVE_INFINITY

  return {
    now: (elapsed = clock.elapsed()) => (offset === undefined ? undefined : elapsed + offset),
    async measure() {
      const sentAt = clock.elapsed()
      const time = await ask()
      const receivedAt = clock.elapsed()
      const half = (receivedAt - sentAt) / 2
      const stepped = offset !== undefined && Math.abs(time - (sentAt + half + offset)) > half + error
      if (!stepped && half > error && receivedAt - measuredAt < MEMORY_MS) return
      offset = time - (sentAt + half)
      error = half
      measuredAt = receivedAt
    },
    get error() {
      return error
    },
  }
}
