import type { Variants } from './stored_response.ts'

/** A moment in a store's own order of invalidations; opaque. */
export type ResponseMark = unknown

/** What is kept under a key, and the moment of which that is true. */
export interface KeptResponses {
  /** Empty when there is nothing. */
  readonly variants: Variants
  /** Given to `set` with what the origin answered after this reading. */
  readonly mark: ResponseMark
}

/** How variants are kept. */
export interface KeepOptions {
  /** Milliseconds until they are of no more use. */
  ttl: number
  /** The mark of the reading before the origin was asked. */
  since: ResponseMark
  /** Surrogate keys of all of them, and the address. */
  tags: readonly string[]
}

/**
 * Where responses are kept, by key.
 *
 * Promises: what was deleted, or carries a tag that was invalidated, is not read again, and what an origin was asked for before that is refused: an old response never
 * lands after its invalidation. A store that is full forgets; one that is away answers as if it were empty, and rejects invalidations that it cannot be sure of.
 * `responseStoreContract` in `@tailwater/http/testing` checks them.
 */
export interface ResponseStore {
  read(key: string): KeptResponses | Promise<KeptResponses>
  /** False if it was refused. */
  set(key: string, variants: Variants, options: KeepOptions): boolean | Promise<boolean>
  delete(key: string): void | Promise<void>
  invalidateTags(tags: readonly string[]): void | Promise<void>
  /** Whether other processes read what this one keeps. @default false */
  readonly isShared?: boolean
  /** What it holds in this process's memory. */
  content?(): { entries: number; bytes: number }
}
