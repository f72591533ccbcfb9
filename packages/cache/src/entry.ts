import type { NearEntry } from './near/near_entry.ts'

/** What the engine keeps in the near tier. */
export interface CacheEntry extends NearEntry {
  /** `Clock.elapsed` up to which it is served without a further thought: until it is no longer fresh, or due to be refreshed early. */
  readonly calmUntil: number
  /** It is past its ttl and served because a load has failed. */
  readonly isStale: boolean
  /** The value as callers await it, made for the first of them and given to all. */
  answer: Promise<unknown> | undefined
}

/** Milliseconds from its beginning after which a fresh value is due to be refreshed. */
export function calmFor(ttl: number, eagerRefresh: number): number {
  return eagerRefresh > 0 ? ttl * eagerRefresh : ttl
}

/** An entry whose replacement could not be loaded: served until the next attempt, as stale unless its time is not over yet. */
export function backedOff(entry: CacheEntry, now: number, backoff: number, isTrusted: boolean): CacheEntry {
  const until = Math.min(Math.round(now + backoff), entry.usableUntil)
  if (isTrusted && now < entry.freshUntil && !entry.isStale)
    return { ...entry, calmUntil: Math.min(until, entry.freshUntil) }
  return { ...entry, freshUntil: until, calmUntil: until, checkedAt: Math.floor(now), isStale: true }
}
