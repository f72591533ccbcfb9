import { type Clock, sleep } from '@tailwater/core'
import { decide, type Rate } from '@tailwater/http'

/**
 * Spaces requests so that a marketplace's limit is kept, and waits when it says that it was not.
 *
 * A second's worth of requests goes at once, and what follows at the rate. Those who wait are served in their order.
 */
export class RequestPace {
  readonly #clock: Clock
  readonly #rate: Rate
  #line: Promise<void> = Promise.resolve()
  #due: number | undefined
  #heldUntil = Number.NEGATIVE_INFINITY

  /** @param rate requests a second */
  constructor(clock: Clock, rate: number) {
    this.#clock = clock
    this.#rate = { limit: rate, period: 1_000, burst: rate }
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
    for (let left = this.#take(); left > 0; left = this.#take()) await sleep(this.#clock, left, signal)
  }

  /** Milliseconds until a request may go; 0 when its place was taken now. */
  #take(): number {
    const now = this.#clock.elapsed()
    if (now < this.#heldUntil) return this.#heldUntil - now
    const { decision, tat } = decide(this.#rate, this.#due, now, 1)
    this.#due = tat
    return decision.admitted ? 0 : Math.max(1, decision.retryAfter)
  }
}
