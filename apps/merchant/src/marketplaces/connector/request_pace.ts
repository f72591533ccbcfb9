import { type Clock, sleep } from '@tailwater/core'

/**
 * Spaces requests so that a marketplace's limit is kept, and waits when it says that it was not.
 *
 * A bucket of one second's worth of requests: a burst goes at once, and what follows at the rate. Those who wait are served in their order.
 */
export class RequestPace {
  readonly #clock: Clock
  readonly #rate: number
  #line: Promise<void> = Promise.resolve()
  #tokens: number
  #at: number
  #heldUntil = Number.NEGATIVE_INFINITY

  /** @param rate requests a second */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock
    this.#rate = rate
    this.#tokens = rate
    this.#at = clock.elapsed()
  }

  /** Resolves when a request may go. Rejects with the signal's reason. */
  turn(signal: AbortSignal | undefined): Promise<void> {
    const mine = this.#line.then(() => this.#wait(signal))
    this.#line = mine.catch(() => undefined)
    return mine
  }

  /** The marketplace wants to be left alone for so many milliseconds. */
  hold(ms: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, this.#clock.elapsed() + ms)
  }

  async #wait(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    for (let left = this.#left(); left > 0; left = this.#left()) await sleep(this.#clock, left, signal)
    this.#tokens--
  }

  #left(): number {
    const now = this.#clock.elapsed()
    this.#tokens = Math.min(this.#rate, this.#tokens + ((now - this.#at) / 1_000) * this.#rate)
    this.#at = now
    if (now < this.#heldUntil) return this.#heldUntil - now
    return this.#tokens >= 1 ? 0 : Math.max(1, ((1 - this.#tokens) / this.#rate) * 1_000)
  }
}
