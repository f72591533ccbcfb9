import type { InvalidSet } from './invalid_set.ts'

/** Whole keys, tags and patterns: names as the far tier has them, those that begin with `@` for whole namespaces among the tags. */
export type Forgotten = Pick<InvalidSet, 'keys' | 'tags' | 'patterns'>

/** A store beside the cache that forgets with it. */
export interface Follower {
  /** Something was invalidated, here or in another process: at once, and perhaps once more when the far tier knows. Must not throw. */
  forget(what: Forgotten): void
  /** News of other processes was missed. */
  forgetAll(): void
}
