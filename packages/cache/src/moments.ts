import type { Clock } from '@tailwater/core'

/** Milliseconds between two readings that follow on each other's heels. */
const CLOSE = 0.001
/** Look-ups that share one reading. */
const SHARED = 8

const settled = Promise.resolve()

/**
 * The time, for look-ups in memory, of which reading the clock is a quarter.
 *
 * Look-ups that come within a microsecond of each other are a storm, in which the next few share a reading. None is kept beyond what runs now and what is already waiting to run in the same turn of the
 * event loop: a process that slept, or was stopped, reads the clock anew. Under a clock that stands still there are no storms.
 */
export class Moments {
  readonly #clock: Clock
  #last = Number.NEGATIVE_INFINITY
  #left = 0
  #isEnding = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** `Clock.elapsed`, as of this look-up or one a moment ago. */
  now(): number {
    if (this.#left > 0) {
      this.#left--
      return this.#last
    }
    const now = this.#clock.elapsed()
    const since = now - this.#last
    this.#last = now
    if (since < CLOSE && since > 0) this.#share()
    return now
  }

  #share(): void {
    this.#left = SHARED
    if (this.#isEnding) return
    this.#isEnding = true
    void settled.then(this.#end)
  }

  readonly #end = (): void => {
    this.#left = 0
    this.#isEnding = false
  }
}
