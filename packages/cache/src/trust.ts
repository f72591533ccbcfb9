import type { Bus, Clock } from '@tailwater/core'

/** How stale anything in the near tier may become while nobody tells this process of invalidations. */
export interface TrustOptions {
  clock: Clock
  bus: Bus | undefined
  /** Other processes can change what this one keeps: there is a bus or a far tier. */
  isShared: boolean
  /** Milliseconds after the bus was last known to have delivered everything. */
  busTrust: number
  /** Milliseconds after an entry was itself compared with the store. */
  maxStaleness: number
}

/**
 * Bounds staleness while the bus is silent or away.
 *
 * An entry may be served while the bus is known to have told of everything lately, or else while the entry itself was compared with the store lately. So a process
 * that is cut off serves nothing older than `busTrust` or `maxStaleness`, and one that is not pays one comparison of numbers.
 */
export class Trust {
  readonly #options: TrustOptions
  #until: number
  #isFollowing = false

  constructor(options: TrustOptions) {
    this.#options = options
    this.#until = options.isShared ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
  }

  /** Whether what was the store's at `checkedAt` may be served now. */
  holds(checkedAt: number, now: number): boolean {
    return now <= this.#until || this.followsBus(now) || now - checkedAt <= this.#options.maxStaleness
  }

  /** Whether everything that the bus has to tell is known here. */
  followsBus(now: number): boolean {
    if (now <= this.#until) return true
    const { bus, busTrust } = this.#options
    if (!bus || !this.#isFollowing) return false
    this.#until = bus.caughtUpAt + busTrust
    return now <= this.#until
  }

  /** Since when a fact must have been the store's to be believed now: for ever, if the bus would have told of its end. */
  believedSince(now: number): number {
    return this.followsBus(now) ? Number.NEGATIVE_INFINITY : now - this.#options.maxStaleness
  }

  /** Up to when everything that the bus had to tell is known here. */
  heardUntil(now: number): number {
    return this.followsBus(now) ? (this.#options.bus?.caughtUpAt ?? Number.NEGATIVE_INFINITY) : Number.NEGATIVE_INFINITY
  }

  /** The subscription is live, or is no more. */
  follow(isFollowing: boolean): void {
    this.#isFollowing = isFollowing
    if (this.#options.isShared) this.#until = Number.NEGATIVE_INFINITY
  }
}
