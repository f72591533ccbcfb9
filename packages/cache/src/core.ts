import type { Clock } from '@tailwater/core'
import type { FarTier } from './far_tier/far_tier.ts'
import type { TagNumbers } from './far_tier/tag_numbers.ts'
import type { Deadlines } from './load/deadlines.ts'
import type { Flights } from './load/flights.ts'
import type { LoadChain } from './load/load_chain.ts'
import type { Moments } from './moments.ts'
import type { NearTier } from './near/near_tier.ts'
import type { TagTable } from './tag_table.ts'
import type { Trust } from './trust.ts'

/** What the namespaces of one cache share. */
export interface CacheCore {
  readonly clock: Clock
  /** The clock, for look-ups that follow on each other's heels. */
  readonly moments: Moments
  /** Of loads and their leases. */
  readonly deadlines: Deadlines
  readonly tags: TagTable
  readonly trust: Trust
  readonly flights: Flights
  readonly chain: LoadChain
  readonly far: FarTier | undefined
  /** With a far tier. */
  readonly numbers: TagNumbers | undefined
  readonly near: NearTier
  /** Deep-freezes what is kept near, and refuses what the far tier would give back as something else: for development. */
  readonly freeze: boolean
  /** A promise of a value that is at hand, within nobody's context: it is kept, and would keep that too. */
  readonly answerOf: (value: unknown) => Promise<unknown>
  /** From 0 up to 1. */
  readonly random: () => number
  /** Milliseconds that a load of another process is waited for. */
  readonly waitLimit: number
  /** Bytes of an envelope beyond which a value is not kept in the far tier. */
  readonly maxFarBytes: number
}
