import type { Variants } from './stored_response.ts'

/** How variants are kept. */
export interface KeepOptions {
  /** Milliseconds until they are of no more use. */
  ttl: number
  /** What `mark` gave when the origin was asked. */
  since: ResponseMark
  /** Surrogate keys of all of them. */
  tags: readonly string[]
}

/** A moment in the store's own order of invalidations; opaque. */
export type ResponseMark = unknown

/**
 * Where responses are kept, by key.
 *
 * Promises: what was deleted, or carries a tag that was invalidated, is not read again, and what an origin was asked for before that is refused: an old response never
 * lands after its invalidation. A store that is full forgets; one that is away answers as if it were empty.
 */
export interface ResponseStore {
  get(key: string): Variants | undefined | Promise<Variants | undefined>
  /** To be taken before the origin is asked, and given to `set` with its answer. */
  mark(key: string): ResponseMark | Promise<ResponseMark>
  /** False if it was refused. */
  set(key: string, variants: Variants, options: KeepOptions): boolean | Promise<boolean>
  delete(key: string): void | Promise<void>
  invalidateTags(tags: readonly string[]): void | Promise<void>
}
