import { cacheAccess, currentContext } from '@tailwater/core'
import type { Counts } from '../statistics.ts'
import type { Tag } from '../tag.ts'

/** How a look-up ended. */
export type Outcome = 'hit' | 'stale' | 'miss'
/** Who answered. */
export type AnsweringTier = 'near' | 'far' | 'source'

/** What a flight must be told of. */
export interface FlightOptions {
  key: string
  /** The namespace's name, for events. */
  cache: string
  counts: Counts
  /** The process's count of invalidations at its start. */
  sequence: number
  /** Those that are known before the value is. */
  tags: readonly Tag[]
  /** It ends with a load, if need be; otherwise only with what the far tier has. */
  canLoad: boolean
}

/**
 * One search for a key's value that all who ask meanwhile share.
 *
 * It is answered once. A flight may go on after its answer: a stale value was served, and the fresh one is still to come. A *void* one was overtaken by an invalidation of its
 * key: what it brings is for those who have waited, and is not kept.
 */
export class Flight {
  readonly key: string
  readonly tags: readonly Tag[]
  readonly canLoad: boolean
  /** The count of invalidations when the value that it is about to bring was the store's. */
  sequence: number
  /** `Clock.elapsed` when the value that it is about to bring was asked for. */
  askedAt = Number.POSITIVE_INFINITY
  readonly answer: Promise<unknown>
  isVoid = false
  /** What it brought has a tag that was invalidated meanwhile. */
  isOutdated = false
  isAnswered = false
  /** The request that it runs for: the first that asked. */
  readonly requestId: string | undefined = currentContext()?.requestId
  readonly #cache: string
  readonly #counts: Counts
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void
  #callers = 0
  #outcome: Outcome = 'miss'
  #tier: AnsweringTier = 'source'
  /** Only while somebody listens to look-ups. */
  #requestIds: (string | undefined)[] | undefined

  constructor({ key, cache, counts, sequence, tags, canLoad }: FlightOptions) {
    this.key = key
    this.tags = tags
    this.canLoad = canLoad
    this.sequence = sequence
    this.#cache = cache
    this.#counts = counts
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Somebody waits for the answer. */
  join(): Promise<unknown> {
    this.#callers++
    if (cacheAccess.hasSubscribers) {
      this.#requestIds ??= []
      this.#requestIds.push(currentContext()?.requestId)
    }
    // It goes on after its answer: this caller is not among those who were counted then.
    if (this.isAnswered) this.#count()
    return this.answer
  }

  answerWith(value: unknown, outcome: Outcome, tier: AnsweringTier): void {
    if (this.isAnswered) return
    this.isAnswered = true
    this.#outcome = outcome
    this.#tier = tier
    this.#count()
    this.#resolve(value)
  }

  failWith(error: unknown): void {
    if (this.isAnswered) return
    this.isAnswered = true
    this.#count()
    // Nobody may be waiting: a refresh in the background, or a caller that has gone on with a stale value.
    this.answer.catch(() => undefined)
    this.#reject(error)
  }

  #count(): void {
    const callers = this.#callers
    const outcome = this.#outcome
    const tier = this.#tier
    this.#callers = 0
    if (outcome === 'miss') this.#counts.misses += callers
    else if (outcome === 'stale') this.#counts.stale += callers
    else if (tier === 'far') this.#counts.farHits += callers
    else this.#counts.nearHits += callers
    if (!cacheAccess.hasSubscribers || !this.#requestIds) return
    const requestIds = this.#requestIds
    this.#requestIds = undefined
    for (const requestId of requestIds) cacheAccess.publish({ requestId, cache: this.#cache, outcome, tier })
  }
}
