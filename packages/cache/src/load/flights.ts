import type { Flight } from './flight.ts'

/** Hears of what is invalidated while it brings values that nobody joins it for. */
export interface Watcher {
  onInvalid(key: string): void
  onAllInvalid(fits: (key: string) => boolean): void
}

/** The flights of a process that can be joined, by key, and how much work there is that has not ended. */
export class Flights {
  readonly #joinable = new Map<string, Flight>()
  readonly #watchers = new Set<Watcher>()
  /** Pieces of work that nobody awaits, but a stop. */
  #working = 0
  #idle: PromiseWithResolvers<void> | undefined

  /** The one to join, if there is one. */
  get(key: string): Flight | undefined {
    return this.#joinable.get(key)
  }

  begin(flight: Flight): void {
    this.#joinable.set(flight.key, flight)
  }

  end(flight: Flight): void {
    if (this.#joinable.get(flight.key) === flight) this.#joinable.delete(flight.key)
  }

  watch(watcher: Watcher): void {
    this.#watchers.add(watcher)
  }

  unwatch(watcher: Watcher): void {
    this.#watchers.delete(watcher)
  }

  /** What is being found for the key is out of date; who asks from now on begins anew. */
  invalidate(key: string): void {
    for (const watcher of this.#watchers) watcher.onInvalid(key)
    const flight = this.#joinable.get(key)
    if (!flight) return
    flight.isVoid = true
    this.#joinable.delete(key)
  }

  /** Likewise for every key that fits. */
  invalidateAll(fits: (key: string) => boolean): void {
    for (const watcher of this.#watchers) watcher.onAllInvalid(fits)
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
