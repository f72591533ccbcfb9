/** Each bucket is so much wider than the one before: figures are right to five per cent. */
const GROWTH = 1.1
const BUCKETS = 160

/** Counts waits of 0 ms to an hour in memory that does not grow. */
export class WaitCounts {
  readonly #counts: Uint32Array

  constructor(counts: Iterable<number> = new Uint32Array(BUCKETS)) {
    this.#counts = Uint32Array.from(counts)
  }

  /** @param ms of one wait */
  add(ms: number): void {
    const bucket = ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / Math.log(GROWTH))
    this.#counts[Math.min(bucket, BUCKETS - 1)]!++
  }

  /** For a message to another process. */
  toList(): number[] {
    return [...this.#counts]
  }

  /** Both together. */
  plus(other: WaitCounts): WaitCounts {
    return new WaitCounts(this.#counts.map((count, at) => count + other.#counts[at]!))
  }

  /** Milliseconds that a share of the waits did not exceed; 0 without any. */
  quantile(share: number): number {
    const total = this.#counts.reduce((sum, count) => sum + count, 0)
    let left = Math.ceil(total * share)
    if (left === 0) return 0
    for (const [bucket, count] of this.#counts.entries()) {
      left -= count
      if (left <= 0) return bucket === 0 ? 1 : GROWTH ** bucket
    }
    return 0
  }
}
