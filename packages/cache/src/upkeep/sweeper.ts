import { type Cancel, type Clock, createService, type Service } from '@tailwater/core'
import type { NearTier } from '../near/near_tier.ts'

/** Milliseconds between two looks. */
const EVERY = 1_000
/** Entries of a look: a tier of 10,000 is gone through every five seconds, and each look takes well under a millisecond. */
const BUDGET = 2_000

/** Removes what has expired and nobody asks for, a little at a time, so that it does not take room from what is alive. */
export function createSweeper(clock: Clock, tiers: () => Iterable<NearTier>): Service {
  let cancel: Cancel = () => {}
  const later = () => {
    cancel = clock.after(EVERY, () => {
      later()
      for (const tier of tiers()) tier.sweep(clock.elapsed(), BUDGET)
    })
  }
  return createService('cache-sweeper', { start: later, stop: () => cancel() })
}
