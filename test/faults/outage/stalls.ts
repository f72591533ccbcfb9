import { systemClock } from '@tailwater/core'

/** Milliseconds between two looks. */
const PERIOD = 5
/** Lateness that any timer has. */
const USUAL = 2

/** Measures for how long this process could not run: what took longer because of that is nobody's fault. */
export class Stalls {
  #sum = 0
  #expected = 0

  /** Begins to look; never ends, and keeps no process alive. */
  start(): this {
    this.#expected = systemClock.elapsed() + PERIOD
    systemClock.after(PERIOD, () => {
      this.#sum += this.#late()
      this.start()
    })
    return this
  }

  /** Milliseconds lost so far; the difference of two readings is what was lost between them. */
  total(): number {
    return this.#sum + this.#late()
  }

  #late(): number {
    const late = systemClock.elapsed() - this.#expected
    return late > USUAL ? late : 0
  }
}
