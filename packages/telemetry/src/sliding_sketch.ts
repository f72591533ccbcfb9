import { Sketch } from './sketch.ts'

/**
 * Quantiles of the last seconds: one sketch a second, merged when asked.
 *
 * A percentile of one second's few requests jumps about; over a window it is steady, and the merge is exact.
 */
export class SlidingSketch {
  readonly #seconds: Sketch[]
  readonly #merged = new Sketch()
  #current = 0

  /** @param seconds length of the window, in turns */
  constructor(seconds: number) {
    this.#seconds = Array.from({ length: seconds }, () => new Sketch())
  }

  record(ms: number): void {
    this.#seconds[this.#current]!.record(ms)
  }

  /** The whole window; valid until the next call. */
  window(): Sketch {
    this.#merged.clear()
    for (const second of this.#seconds) if (second.count > 0) this.#merged.merge(second)
    return this.#merged
  }

  /** Begins the next second, which takes the place of the oldest. */
  turn(): void {
    this.#current = (this.#current + 1) % this.#seconds.length
    this.#seconds[this.#current]!.clear()
  }
}
