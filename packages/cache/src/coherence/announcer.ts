import { type Bus, backgroundError, type Cancel, type Clock, toError } from '@tailwater/core'
import { EVERYTHING } from '../tag_name.ts'
import { InvalidSet } from './invalid_set.ts'
import { newsOf } from './news.ts'

/** What an announcer needs. */
export interface AnnouncerOptions {
  bus: Bus
  clock: Clock
  topic: string
  /** This process's name in its news. */
  from: string
}

/** Milliseconds before what could not be published is tried again. */
const RETRY_MS = 1_000
/** Names that may wait for the bus; beyond, everything is announced as invalid. */
const MAX_WAITING = 20_000

/**
 * Tells the other processes, and keeps what it could not tell until it can.
 *
 * What waits is kept in memory: if this process ends first, the others go on until their bounded staleness, or the entry's ttl, is over. What must not be lost
 * belongs into a transaction.
 */
export class Announcer {
  readonly #options: AnnouncerOptions
  #waiting = new InvalidSet()
  #isPending = false
  #cancel: Cancel | undefined
  #hasReported = false

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** Names that have yet to be told. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** @returns whether everybody will hear of it, also of what could not be told before; never rejects */
  async announce(set: InvalidSet, numbers: ReadonlyMap<string, number>, isPending: boolean): Promise<boolean> {
    const { bus, topic, from } = this.#options
    try {
      await this.#publishWaiting()
      await Promise.all(newsOf(set, numbers, from, isPending).map((news) => bus.publish(topic, news)))
      this.#hasReported = false
      return true
    } catch (error) {
      this.#keep(set, isPending, error)
      return false
    }
  }

  /** Tells it with what could not be told before, a moment later. */
  postpone(set: InvalidSet): void {
    this.#waiting.add(set)
    if (this.#waiting.size > MAX_WAITING) this.#waiting = InvalidSet.of([], [EVERYTHING])
    this.#cancel ??= this.#options.clock.after(RETRY_MS, () => {
      this.#cancel = undefined
      void this.announce(new InvalidSet(), new Map(), false)
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
  }

  async #publishWaiting(): Promise<void> {
    if (this.#waiting.size === 0) return
    const waiting = this.#waiting
    const isPending = this.#isPending
    this.#waiting = new InvalidSet()
    this.#isPending = false
    const { bus, topic, from } = this.#options
    try {
      await Promise.all(newsOf(waiting, new Map(), from, isPending).map((news) => bus.publish(topic, news)))
    } catch (error) {
      this.#keep(waiting, isPending, error)
      throw error
    }
  }

  #keep(set: InvalidSet, isPending: boolean, error: unknown): void {
    this.#isPending ||= isPending
    if (!this.#hasReported && backgroundError.hasSubscribers)
      backgroundError.publish({ source: 'cache coherence', error: toError(error) })
    this.#hasReported = true
    this.postpone(set)
  }
}
