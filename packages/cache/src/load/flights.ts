import type { Flight } from './flight.ts'

/** The flights of a process: those that can be joined, by key, and all that have not ended. */
export class Flights {
  readonly #joinable = new Map<string, Flight>()
  readonly #flying = new Set<Flight>()
  /** Pieces of work that nobody awaits, but a stop. */
  #working = 0
  #idle: PromiseWithResolvers<void> | undefined

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

  /** Work begins that nobody awaits, but a stop; it says itself when it ends. */
  workBegins(): void {
    this.#working++
  }

  /** Work has ended, and so perhaps all. */
  workEnds(): void {
    if (--this.#working > 0) return
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** Work that nobody awaits, but a stop. */
  inBackground(work: Promise<unknown>): void {
    this.workBegins()
    const done = () => this.workEnds()
    work.then(done, done)
  }

  /** Resolves when all that fly now have landed, and what they left to do is done. */
  async idle(): Promise<void> {
    while (this.#working > 0) {
      this.#idle ??= Promise.withResolvers()
      await this.#idle.promise
    }
  }
}
