import { type Bus, backgroundError, type Cancel, type Clock, notice, toError } from '@tailwater/core'
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

/** Milliseconds that the bus may take; then it counts as away, and nobody waits for it until it has answered. */
const PATIENCE_MS = 100
/** Milliseconds before what could not be published is tried again. */
const RETRY_MS = 1_000
/** Names that may wait for the bus; beyond, everything is announced as invalid. */
const MAX_WAITING = 20_000

/**
 * Tells the other processes, and keeps what it could not tell until it can.
 *
 * Modes: *telling*: every call waits until the bus has taken its news; *away*: the bus let somebody wait in vain, or failed, and what is to be told is kept, without
 * anybody waiting, until a try once a second has got through.
 *
 * What waits is kept in memory: if this process ends first, the others go on until their bounded staleness, or the entry's ttl, is over. What must not be lost
 * belongs into a transaction.
 */
export class Announcer {
  readonly #options: AnnouncerOptions
  #waiting = new InvalidSet()
  #isPending = false
  #isAway = false
  /** Messages that somebody has waited for in vain, and that the bus has neither taken nor refused. */
  #overdue = 0
  #cancel: Cancel | undefined
  #hasReported = false

  constructor(options: AnnouncerOptions) {
    this.#options = options
  }

  /** Names that have yet to be told, and messages that the bus has not answered. */
  get untold(): number {
    return this.#waiting.size + this.#overdue
  }

  /** @returns whether everybody will hear of it, also of what could not be told before; if not, they will later, if this process lives. Never rejects */
  announce(set: InvalidSet, numbers: ReadonlyMap<string, number>, isPending: boolean): Promise<boolean> {
    if (!this.#isAway) return this.#inTime(this.#tell(set, numbers, isPending))
    this.#keep(set, isPending)
    return Promise.resolve(false)
  }

  /** What takes longer goes on. */
  #inTime(telling: Promise<boolean>): Promise<boolean> {
    return new Promise((resolve) => {
      let isOverdue = false
      const cancel = this.#options.clock.after(PATIENCE_MS, () => {
        isOverdue = true
        this.#overdue++
        this.#isAway = true
        resolve(false)
      })
      void telling.then((isTold) => {
        if (isOverdue) this.#overdue--
        cancel()
        resolve(isTold)
      })
    })
  }

  async #tell(set: InvalidSet, numbers: ReadonlyMap<string, number>, isPending: boolean): Promise<boolean> {
    const { bus, topic, from } = this.#options
    try {
      await this.#publishWaiting()
      await Promise.all(newsOf(set, numbers, from, isPending).map((news) => bus.publish(topic, news)))
      this.#hasReported = false
      this.#isAway = false
      return true
    } catch (error) {
      this.#keep(set, isPending)
      this.#report(error)
      return false
    }
  }

  /** What waits would be lost with this process: one more attempt, and a word of what failed. */
  async stop(): Promise<void> {
    if (this.#waiting.size > 0) await this.#inTime(this.#tell(new InvalidSet(), new Map(), false))
    this.#cancel?.()
    this.#cancel = undefined
    if (this.untold > 0 && notice.hasSubscribers)
      notice.publish({
        source: 'cache coherence',
        level: 'warn',
        message: 'the bus did not take all invalidations before the stop: others serve what they mean until their ttl',
        fields: { untold: this.untold },
      })
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
      this.#keep(waiting, isPending)
      throw error
    }
  }

  #keep(set: InvalidSet, isPending: boolean): void {
    this.#waiting.add(set)
    this.#isPending ||= isPending
    if (this.#waiting.size > MAX_WAITING) this.#waiting = InvalidSet.of([], [EVERYTHING])
    this.#cancel ??= this.#options.clock.after(RETRY_MS, () => {
      this.#cancel = undefined
      void this.#tell(new InvalidSet(), new Map(), false)
    })
  }

  #report(error: unknown): void {
    if (!this.#hasReported && backgroundError.hasSubscribers)
      backgroundError.publish({ source: 'cache coherence', error: toError(error) })
    this.#hasReported = true
  }
}
