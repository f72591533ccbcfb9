import type { Connection } from './connection.ts'

/** Somebody who waits for a connection. */
export interface Waiter {
  /** Milliseconds by the pool's clock. */
  since: number
  /** Takes it out of the line it stands in. */
  leave: (() => void) | undefined
  take(connection: Connection): void
  fail(error: unknown): void
}

/** Those who wait, first come, first served; anybody may leave. */
export class WaitingLine {
  readonly #waiting = new Set<Waiter>()

  get size(): number {
    return this.#waiting.size
  }

  join(waiter: Waiter, now: number): void {
    waiter.since = now
    waiter.leave = () => this.#waiting.delete(waiter)
    this.#waiting.add(waiter)
  }

  /** Since when the first has waited; infinity when there is nobody. */
  get since(): number {
    for (const waiter of this.#waiting) return waiter.since
    return Number.POSITIVE_INFINITY
  }

  /** The first, who leaves the line. */
  next(): Waiter | undefined {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter)
      return waiter
    }
    return undefined
  }

  /** The first, who leaves the line, if that is one that passes. */
  nextIf(passes: (waiter: Waiter) => boolean): Waiter | undefined {
    for (const waiter of this.#waiting) {
      if (!passes(waiter)) return undefined
      this.#waiting.delete(waiter)
      return waiter
    }
    return undefined
  }

  /** Whether somebody has waited since `time` or longer. */
  hasWaitedSince(time: number): boolean {
    return this.since <= time
  }

  failAll(error: Error): void {
    for (let waiter = this.next(); waiter; waiter = this.next()) waiter.fail(error)
  }
}
