import { type Clock, systemClock } from '@tailwater/core'
import { decide, type Rate, type RateDecision } from './gcra.ts'

/**
 * Where clients' budgets are kept.
 *
 * Promises: a take is atomic among all who use the store; time is the store's own; what it forgets under
 * pressure is what was used least recently. One process has `createMemoryRateStore`; several share one in Redis.
 */
export interface RateLimitStore {
  /** Takes `cost` units of the key's budget if they are there, and none otherwise. A cost of 0 only looks. */
  take(key: string, rate: Rate, cost: number): RateDecision | Promise<RateDecision>
}

/** Options of `createMemoryRateStore`. */
export interface MemoryRateStoreOptions {
  /** Budgets held at most. One costs about 150 bytes, so the default is 15 MB at the very most. @default 100000 */
  maxKeys?: number
  clock?: Clock
}

/**
 * Budgets in the process's memory, bounded however many clients there are.
 *
 * When it is full the budget used least recently is forgotten, and its owner has a new one. To gain by that, an
 * attacker needs more than `maxKeys` addresses, and with those has as many budgets anyway.
 */
export function createMemoryRateStore({
  maxKeys = 100_000,
  clock = systemClock,
}: MemoryRateStoreOptions = {}): RateLimitStore & {
  readonly size: number
} {
  // In order of last use: a Map keeps insertion order, and a take inserts again.
  const arrivals = new Map<string, number>()
  return {
    get size() {
      return arrivals.size
    },
    take(key, rate, cost) {
      const now = clock.elapsed()
      const { decision, tat } = decide(rate, arrivals.get(key), now, cost)
      arrivals.delete(key)
      if (tat > now) arrivals.set(key, tat)
      forgetOldest(arrivals, maxKeys, now)
      return decision
    },
  }
}

/** Up to two entries whose time has come go at each take, so that what is over leaves without a sweep; then whatever exceeds the bound. */
function forgetOldest(arrivals: Map<string, number>, maxKeys: number, now: number): void {
  let looked = 0
  for (const [key, tat] of arrivals) {
    const excess = arrivals.size > maxKeys
    if (!excess && (looked++ >= 2 || tat > now)) return
    arrivals.delete(key)
  }
}
