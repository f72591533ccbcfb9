/*
 * What S3-FIFO remembers of entries that it let go: whether a key that comes now was there not long ago.
 *
 * A Map of those keys would keep their texts alive, and cost more than the rest of the policy together. A false answer, though, does no harm but an entry
 * in the wrong queue. So this is a table of 32-bit words, each the upper half of a key's hash and a time. The lower half chooses a bucket of four words, which
 * share a cache line; remembering overwrites the oldest of them, so nothing ever has to be removed, and what is older than the window does not count.
 *
 * - Time goes on with each key remembered, in steps of 1/64 of the table. Its 16 bits go round after 1,024 tables, long after every word was overwritten.
 * - A key that was never there is taken for one that was in about 1 of 16,000 cases (four words, 16 bits).
 * - 4 to 8 bytes for each slot of the tier.
 */
const BUCKET = 4
const TIME_BITS = 0xffff
/** Half of the times there are: what is so old was never remembered, or is no longer. */
const HALF_ROUND = 0x8000
/** Times that pass while as many keys are remembered as the table has words. */
const STEPS = 64

/** Hashes of keys that went not long ago, approximately. */
export class Ghost {
  #words = new Int32Array(BUCKET)
  #buckets = 1
  /** A time is the number of keys remembered, without so many of its lowest bits. */
  #timeShift = 0
  #remembered = 0

  /** Makes room for `slots` keys, and forgets those it knew. */
  grow(slots: number): void {
    const words = 2 ** Math.ceil(Math.log2(Math.max(slots, BUCKET)))
    this.#words = new Int32Array(words)
    this.#buckets = words / BUCKET
    this.#timeShift = Math.max(0, Math.log2(words / STEPS))
    // Words that nothing was written to have time 0.
    this.#remembered = HALF_ROUND << this.#timeShift
  }

  /** @param hash 32 well-mixed bits */
  remember(hash: number): void {
    const words = this.#words
    const time = (this.#remembered >>> this.#timeShift) & TIME_BITS
    this.#remembered = (this.#remembered + 1) | 0
    const first = (hash & (this.#buckets - 1)) * BUCKET
    let oldest = first
    let age = -1
    for (let at = first; at < first + BUCKET; at++) {
      const itsAge = (time - words[at]!) & TIME_BITS
      if (itsAge <= age) continue
      oldest = at
      age = itsAge
    }
    words[oldest] = (hash & ~TIME_BITS) | time
  }

  /** Whether it is among the last `window` that were remembered; it then no longer is. */
  recall(hash: number, window: number): boolean {
    const words = this.#words
    const time = this.#remembered >>> this.#timeShift
    const first = (hash & (this.#buckets - 1)) * BUCKET
    for (let at = first; at < first + BUCKET; at++) {
      const word = words[at]!
      if (((word ^ hash) & ~TIME_BITS) !== 0 || ((time - word) & TIME_BITS) > window >>> this.#timeShift) continue
      words[at] = word ^ HALF_ROUND
      return true
    }
    return false
  }
}
