import type { Flight } from './flight.ts'

/** The flights of a process: those that can be joined, by key, and all that have not ended. */
export class Flights {
  readonly #joinable = new Map<string, Flight>()
  readonly #flying = new Set<Flight>()
  readonly #background = new Set<Promise<unknown>>()

  get size(): number {
    return this.#flying.size
  }

  /** The one to join, if there is one. */
  get(key: string): Flight | undefined {
    return this.#joinable.get(key)
  }

  begin(flight: Flight): void {
    this.#joinable.set(flight.key, flight)
    this.#flying.add(flight)
  }

  end(flight: Flight): void {
    if (this.#joinable.get(flight.key) === flight) this.#joinable.delete(flight.key)
    this.#flying.delete(flight)
  }

  /** What is being found for the key is out of date; who asks from now on begins anew. */
  invalidate(key: string): void {
    const flight = this.#joinable.get(key)
    if (!flight) return
    flight.isVoid = true
    this.#joinable.delete(key)
  }

  /** Likewise for every key that fits. */
  invalidateAll(fits: (key: string) => boolean): void {
    for (const key of this.#joinable.keys()) if (fits(key)) this.invalidate(key)
  }

  /** Work that nobody awaits, but a stop. */
  inBackground(work: Promise<unknown>): void {
    this.#background.add(work)
    const done = () => void this.#background.delete(work)
    work.then(done, done)
  }

  /** Resolves when all that fly now have landed, and what they left to do is done. */
  async idle(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background)
  }
}
