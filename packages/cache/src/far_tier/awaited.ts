import type { Clock } from '@tailwater/core'

/** Milliseconds after which it is not waited for any longer: far more than an outbox needs, and no longer than staleness is bounded anyway. */
const PATIENCE = 10_000
/** Keys and tags that are waited for at most. The oldest are let go. */
const MAX_AWAITED = 10_000

/**
 * What this process has invalidated in a committed transaction, until the outbox has told the far tier.
 *
 * Meanwhile the far tier still has the old value, and this process must read what it has written itself.
 */
export class Awaited {
  readonly #clock: Clock
  readonly #until = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get isEmpty(): boolean {
    return this.#until.size === 0
  }

  add(names: Iterable<string>): void {
    const until = this.#clock.elapsed() + PATIENCE
    for (const name of names) {
      this.#until.delete(name)
      this.#until.set(name, until)
    }
    for (const name of this.#until.keys()) {
      if (this.#until.size <= MAX_AWAITED) return
      this.#until.delete(name)
    }
  }

  /** The far tier knows. */
  end(names: Iterable<string>): void {
    if (this.#until.size === 0) return
    for (const name of names) this.#until.delete(name)
  }

  has(name: string): boolean {
    if (this.#until.size === 0) return false
    const until = this.#until.get(name)
    if (until === undefined) return false
    if (this.#clock.elapsed() < until) return true
    this.#until.delete(name)
    return false
  }
}
