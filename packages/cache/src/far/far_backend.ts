import type { Service } from '@tailwater/core'

/**
 * What a shared store says of a key: the bytes of its envelope, and the version that a compare-and-set is held against.
 *
 * A version is opaque, and one of three kinds: that of an envelope, that of a tombstone (the key was invalidated not long ago), or that of nothing at all.
 */
export interface FarReading {
  readonly version: FarVersion
  /** Undefined when there is nothing, or only a tombstone. */
  readonly envelope: Buffer | undefined
}

/** An opaque text; equal texts mean that nothing was written in between. */
export type FarVersion = string

/** One envelope to be stored. */
export interface FarWrite {
  readonly key: string
  /** Without its version, which is the store's own affair. */
  readonly envelope: Buffer
  /** Milliseconds until the store forgets it: fresh time and grace together. */
  readonly ttl: number
  /** What the key's version must still be; without it the write is unconditional. */
  readonly expected?: FarVersion
  /** Load lease that is given back with the write. */
  readonly lease?: string
}

/** Entries by key. Keys come with their namespace: `product:42`. */
export interface FarEntries {
  /** In the order of the keys; the caller has gathered them over a tick. */
  read(keys: readonly string[]): Promise<FarReading[]>
  /** Compare-and-set, each key on its own: whether each was stored. */
  write(writes: readonly FarWrite[]): Promise<boolean[]>
  /**
   * Invalidates keys: what is there goes, and a new version stays behind as a tombstone, so that a load that began before cannot land. A tombstone stays for
   * `TOMBSTONE_MS` at least, which is longer than any load may take.
   */
  invalidate(keys: readonly string[]): Promise<void>
  /** Gives an entry a new life, if its version is still that one. */
  touch(key: string, version: FarVersion, ttl: number): Promise<boolean>
}

/**
 * Tags, as numbers from the store's own counter, which only grows.
 *
 * An entry carries the number of each of its tags as it was when its load began, and counts only while all of them are still the same. So one write
 * invalidates any number of entries, none of them has to be found, and an entry that an old load brings afterwards is invalid from the first. A tag that was lost (evicted,
 * flushed, gone with a failover) differs from what entries carry: that is a miss, never an old value.
 */
export interface FarTags {
  /** The tags' numbers, in their order. A tag that has none gets `floor`: no invalidation of it is known since then. */
  numbers(tags: readonly string[], floor: number): Promise<number[]>
  /** Gives the tags a new number, greater than any before, and returns it. */
  invalidate(tags: readonly string[]): Promise<number>
  /** The counter's present value. */
  now(): Promise<number>
}

/** Who may load a key, over all processes. */
export interface FarLeases {
  /**
   * `granted`: load it; `held`: somebody else loads it; `changed`: the key's version is no longer `seen`, so read it again.
   * @param ttl milliseconds after which a dead holder's lease is free
   */
  acquire(key: string, seen: FarVersion, token: string, ttl: number): Promise<'granted' | 'held' | 'changed'>
  /** True while the token holds it; it then holds it for `ttl` more. */
  renew(key: string, token: string, ttl: number): Promise<boolean>
  release(key: string, token: string): Promise<void>
}

/** What an operator can look at. */
export interface FarBrowser {
  /** Keys that a pattern with `*` matches, some at a time; a page may be empty without being the last. Never blocks the store (SCAN, not KEYS). */
  scan(
    pattern: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<{ keys: FarKey[]; next: string | undefined }>
  /** Empties the store of what is under its prefix, in bites; tags stay. */
  clear(): Promise<void>
}

/** A key as the browser shows it. */
export interface FarKey {
  key: string
  bytes: number
  /** Milliseconds left. */
  ttl: number
}

/**
 * A store that several processes share.
 *
 * Promises, checked by `farBackendContract` in `@tailwater/cache/testing`: each method is atomic for each key; what was invalidated is not read again, and a write that
 * expects an older version is refused; a lease has one holder; time is the store's. A backend does no retries, no time-outs and keeps nothing in memory: that is the far tier's.
 */
export interface FarBackend extends Service {
  readonly name: 'memory' | 'redis' | 'postgres'
  readonly entries: FarEntries
  readonly tags: FarTags
  readonly leases: FarLeases
  readonly browser: FarBrowser
  /** Rejects when the store cannot be used. */
  ping(): Promise<void>
}

/** Milliseconds that a tombstone stays: a load that takes longer is not stored in the far tier. */
export const TOMBSTONE_MS = 600_000
