import type { Tag } from '../tag.ts'

/** What the near tier keeps of one key: the decoded value itself, shared by all who read it. */
export interface NearEntry {
  readonly key: string
  readonly value: unknown
  /** `Clock.elapsed` up to which it is fresh. */
  readonly freshUntil: number
  /** `Clock.elapsed` up to which it may be served stale; at least `freshUntil`. */
  readonly usableUntil: number
  /** `Clock.elapsed` at which the value was last known to be the store's: bounds staleness while the bus is silent. */
  readonly checkedAt: number
  /** The process's count of invalidations when its load began: a tag or namespace invalidated later makes it void. */
  readonly sequence: number
  /** Its namespace's own tag is among them. */
  readonly tags: readonly Tag[]
  /** Estimated size of key and value. */
  readonly bytes: number
}
