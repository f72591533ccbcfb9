import type { Cancel, Clock } from '@tailwater/core'

/** One timer that is either set or not: setting it twice leaves the first. */
export class Alarm {
  readonly #clock: Clock
  readonly #task: () => void
  #cancel: Cancel | undefined

  constructor(clock: Clock, task: () => void) {
    this.#clock = clock
    this.#task = task
  }

  get isSet(): boolean {
    return this.#cancel !== undefined
  }

  /** @param ms milliseconds from now */
  set(ms: number): void {
    if (this.#cancel === undefined) this.#cancel = this.#clock.after(ms, this.#ring)
  }

  clear(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  readonly #ring = () => {
    this.#cancel = undefined
    this.#task()
  }
}
