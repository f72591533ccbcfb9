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

/**
 * An opaque text; equal texts mean that nothing was written in between.
 *
 * The version of nothing needs more, because stores lose tombstones: by eviction, a flush, a crash, a failover. A load that began before such a loss would find
 * nothing, as it did, and store what was invalidated meanwhile. Two things stand against it:
 *
 * - It names the store's generation, which changes when the store may have lost what it knew: with the connection in Redis, with the tables'
 *   content in PostgreSQL. A write that expects the nothing of another generation is refused.
 * - A write that names its lease is stored over nothing only while the lease is held. An invalidation takes the lease away, and no loss of the
 *   tombstone brings it back: loads that hold a lease are safe against eviction and flushes too.
 *
 * What remains: a load without a lease, and a tombstone that was evicted or flushed while that load ran.
 */
export type FarVersion = string

/** One envelope to be stored. */
export interface FarWrite {
  readonly key: string
  /** Without its version, which is the store's own affair. Not changed any more by its owner. */
  readonly envelope: Buffer
  /** Milliseconds until the store forgets it, from 1 up: fresh time and grace together. */
  readonly ttl: number
  /** What the key's version must still be; without it the write is unconditional. */
  readonly expected?: FarVersion
  /**
   * Token of the lease under which it was loaded. The lease is given back, also when the write is refused. A write that expects nothing is
   * refused if the lease is not held any more.
   */
  readonly lease?: string
}

/** Entries by key. Keys come with their namespace: `product:42`. */
export interface FarEntries {
  /** In the order of the keys; the caller has gathered them over a tick. */
  read(keys: readonly string[]): Promise<FarReading[]>
  /** Compare-and-set, each key on its own: whether each was stored. Of writes to one key the later comes after the earlier. */
  write(writes: readonly FarWrite[]): Promise<boolean[]>
  /**
   * Invalidates keys: what is there goes, with the lease of whoever loads it, and a new version stays behind as a tombstone, so that a load that began before
   * cannot land. A tombstone stays for `TOMBSTONE_MS`, which is longer than any load may take.
   */
  invalidate(keys: readonly string[]): Promise<void>
  /** Gives an entry a new life, if its version is still that one. Tombstones and nothing have none. */
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
  /**
   * The tags' numbers, in their order. A tag that has none gets the counter's present value: one that was lost has then a number that is
   * at least that of its last invalidation, so that what was loaded before does not come back to life.
   *
   * @param floor the greatest number the caller has heard of; a counter that is behind it, having been lost itself, is brought up to it first
   */
  numbers(tags: readonly string[], floor: number): Promise<number[]>
  /** Gives all the tags one new number, greater than any before, and returns it. */
  invalidate(tags: readonly string[]): Promise<number>
  /** The counter's present value: no number given out is greater. A counter begins at the store's microseconds. */
  now(): Promise<number>
}

/** A lease that somebody would like to have, whatever the key's version is. */
export interface LeaseClaim {
  readonly key: string
  /** Who asks. */
  readonly token: string
}

/** A lease that somebody would like to have for the load of a key that was read. */
export interface LeaseWish extends LeaseClaim {
  /** The key's version as it was read. */
  readonly seen: FarVersion
}

/** `granted`: load it; `held`: somebody else loads it; `changed`: the key's version is no longer the one seen, so read it again. */
export type LeaseAnswer = 'granted' | 'held' | 'changed'

/** What lies under a key, and where that is no entry, whether the lease was taken. */
export interface FarClaim {
  readonly reading: FarReading
  /** Undefined where there is an entry, which nobody has to load; and where the key changed meanwhile, so that the lease has to be asked for by itself. */
  readonly lease: 'granted' | 'held' | undefined
}

/** Who may load a key, over all processes. */
export interface FarLeases {
  /**
   * Reads keys and takes the leases of those that have no entry, as `read` and `acquire` would one after the other; for keys that are expected to be missing. In the
   * order of the wishes, each key on its own.
   * @param ttl milliseconds after which a dead holder's lease is free
   */
  claim(wishes: readonly LeaseClaim[], ttl: number): Promise<FarClaim[]>
  /**
   * In the order of the wishes, each key on its own; the caller has gathered them over a tick. Who holds a lease already is granted it again; of wishes for
   * one key the later comes after the earlier.
   * @param ttl milliseconds after which a dead holder's lease is free
   */
  acquire(wishes: readonly LeaseWish[], ttl: number): Promise<LeaseAnswer[]>
  /** True while the token holds it; it then holds it for `ttl` more. */
  renew(key: string, token: string, ttl: number): Promise<boolean>
  /** Frees it, if the token holds it. */
  release(key: string, token: string): Promise<void>
}

/** What an operator can look at. */
export interface FarBrowser {
  /**
   * Keys of entries that a pattern with `*` matches (all other characters stand for themselves), about `limit` at a time; a page may be empty without being the last,
   * and a key may come twice. What is there from the first page to the last is found. Never blocks the store.
   */
  scan(
    pattern: string,
    cursor: string | undefined,
    limit: number,
  ): Promise<{ keys: FarKey[]; next: string | undefined }>
  /**
   * Empties the store of entries, tombstones and leases, in bites; tags stay. It frees memory and is no invalidation: loads in progress without a lease may
   * still land.
   */
  clear(): Promise<void>
}

/** A key as the browser shows it. */
export interface FarKey {
  key: string
  /** Of the envelope. */
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
  /** The store's time in milliseconds since the Unix epoch: in it entries are stamped, see `StoreTime`. */
  time(): Promise<number>
  /** Rejects when the store cannot be used. */
  ping(): Promise<void>
}

/** Milliseconds that a tombstone stays: no load may take longer. */
export const TOMBSTONE_MS = 600_000

/** Milliseconds that a tag lives without being asked for. */
export const TAG_MS = 30 * 86_400_000
