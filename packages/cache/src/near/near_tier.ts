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

/**
 * Values by key in this process's memory, bounded by entries and by bytes.
 *
 * It knows nothing of freshness, tags or versions: its caller decides whether an entry still counts, and deletes it if not.
 */
export interface NearTier {
  /** The entry, counted as used. Allocates nothing. */
  get(key: string): NearEntry | undefined
  /** The entry, not counted as used. */
  peek(key: string): NearEntry | undefined
  /** Keeps it and evicts what must go; an entry larger than the whole tier is not kept, and what was under its key goes. */
  set(entry: NearEntry): void
  delete(key: string): boolean
  clear(): void
  keys(): IterableIterator<string>
  /** Looks at some entries and removes those past `usableUntil`; goes on where the last call stopped. Returns how many went. */
  sweep(now: number, budget: number): number
  readonly size: number
  readonly bytes: number
  readonly evictions: number
}
