import type { Cancel, Clock } from '../clock.ts'

interface Timer {
  due: number
  task: () => void
}

/**
 * A clock that moves only when told to.
 *
 * `advance` fires timers in the order they fall due and lets promises settle between them, so a
 * retry scheduled by the first timer is seen by the same call.
 *
 * @example
 * const clock = new FakeClock()
 * const nap = sleep(clock, 1_000)
 * await clock.advance(1_000)
 * await nap
 */
export class FakeClock implements Clock {
  #now: number
  #elapsed = 0
  #timers = new Set<Timer>()

  /** @param start wall time at the beginning, in milliseconds since the Unix epoch; 2030 by default */
  constructor(start: number = Date.UTC(2030, 0, 1)) {
    this.#now = start
  }

  now(): number {
    return this.#now
  }

  elapsed(): number {
    return this.#elapsed
  }

  after(ms: number, task: () => void): Cancel {
    const timer = { due: this.#elapsed + ms, task }
    this.#timers.add(timer)
    return () => void this.#timers.delete(timer)
  }

  /** How many timers are pending; a test that leaves some has a leak. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves wall time alone, as an operator or NTP does; timers and `elapsed` stay. */
  step(ms: number): void {
    this.#now += ms
  }

  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms
    await settle()
    for (let next = this.#nextDue(until); next; next = this.#nextDue(until)) {
      this.#timers.delete(next)
      this.#moveTo(next.due)
      next.task()
      await settle()
    }
    this.#moveTo(until)
  }

  #moveTo(elapsed: number): void {
    this.#now += elapsed - this.#elapsed
    this.#elapsed = elapsed
  }

  #nextDue(until: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) if (timer.due <= until && (!first || timer.due < first.due)) first = timer
    return first
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
