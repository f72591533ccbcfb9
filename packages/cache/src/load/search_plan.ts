import type { FarReading } from '../far/far_backend.ts'
import type { Policy } from '../policy.ts'
import type { Space } from '../space.ts'
import type { Asked } from './far_entry.ts'
import type { Load } from './load_context.ts'

/** A reading of the far tier that is already there. */
export interface EarlyReading extends Asked {
  readonly reading: FarReading
}

/** What is looked for. */
export interface Search {
  readonly space: Space
  /** Without its namespace; checked. */
  readonly key: string
  readonly policy: Policy
  /** Without it, the value has to be in the cache. */
  readonly load: Load | undefined
  /** Called when this search will not load, or not now: for those who load many keys in one call. */
  readonly onSpared?: (() => void) | undefined
  /** The far tier has been asked already. */
  readonly early?: EarlyReading | undefined
}
