/**
 * Which entry goes when there is no room. It knows entries by the number of their slot alone and keeps what it must know of each in typed arrays, so that a
 * hit allocates nothing, and an entry costs a few bytes rather than an object.
 *
 * Promises, checked by `evictionPolicyContract` in `@tailwater/cache/testing`: each slot that was inserted and neither removed nor given as a victim is held, is
 * the victim sooner or later, and is so once; no other slot ever is. Calls take a time that does not grow with what is held; `victim` may take one look at each entry, paid for
 * by the hits before it.
 *
 * Whoever calls it inserts a slot only when it is not held, and calls `hit` and `remove` only when it is.
 */
export interface EvictionPolicy {
  /** From now on slots are below `slots`, which is never less than before. Called before the first insertion. */
  grow(slots: number): void
  /** @param key for policies that recognise a key which they let go not long ago */
  insert(slot: number, key: string): void
  /** The entry was read: on the path of every near hit, so it should cost no more than a byte written. */
  hit(slot: number): void
  /** The entry is gone for another reason than want of room. */
  remove(slot: number): void
  /** The slot to be emptied next; the policy then no longer holds it. Called only while it holds one. */
  victim(): number
}

/** Builds a policy that holds nothing. */
export type EvictionPolicyFactory = () => EvictionPolicy
