import { cacheInvalidation } from '@tailwater/core'
import type { CacheCore } from '../core.ts'
import type { Announcer } from './announcer.ts'
import { InvalidSet } from './invalid_set.ts'
import type { NearEffects } from './near_effects.ts'

/** Keys of one page of a scan. */
const SCAN_PAGE = 500

interface Batch {
  readonly set: InvalidSet
  readonly done: Promise<boolean>
  settle(isTold: boolean): void
}

/**
 * Carries invalidations out: here, in the far tier, and then everywhere.
 *
 * The order matters. The far tier comes before the others, because a process that drops its near entry must not fill it again from a far tier that does not know yet. And this process
 * drops its own twice, at once and when the far tier knows, because in between it may have filled it from there.
 *
 * One batch is under way at a time, and what is asked for meanwhile makes the next: the more there are, the more share a call and a message.
 */
export class InvalidationLine {
  readonly #core: CacheCore
  readonly #effects: NearEffects
  readonly #announcer: Announcer | undefined
  #next: Batch | undefined
  #running = false
  /** The numbers that the far tier has given tags of the batch under way. */
  #numbers: Map<string, number> | undefined

  constructor(core: CacheCore, effects: NearEffects, announcer: Announcer | undefined) {
    this.#core = core
    this.#effects = effects
    this.#announcer = announcer
  }

  /** Resolves when the far tier and the others have been told, to whether the others were; if not they will be, if this process lives. */
  push(set: InvalidSet): Promise<boolean> {
    if (set.size === 0) return Promise.resolve(true)
    this.#effects.apply(set, NO_NUMBERS)
    this.#core.far?.distrust.add(set.keys, set.tags)
    if (cacheInvalidation.hasSubscribers)
      cacheInvalidation.publish({
        keys: set.keys.size,
        tags: set.namedTags(),
        patterns: [...set.patterns],
        origin: 'own',
      })
    this.#next ??= newBatch()
    this.#next.set.add(set)
    const { done } = this.#next
    if (!this.#running) this.#core.flights.inBackground(this.#run())
    return done
  }

  /** The far tier has given tags a new number. */
  onReplayed(tags: Iterable<string>, number: number): void {
    const set = InvalidSet.of([], tags)
    if (this.#numbers) for (const tag of set.tags) this.#numbers.set(tag, number)
    else {
      // Of a far tier that was away: others may have another number in mind.
      const numbers = new Map([...set.tags].map((tag) => [tag, number]))
      this.#effects.apply(set, numbers)
      void this.#announcer?.announce(set, numbers, false)
    }
  }

  async #run(): Promise<void> {
    this.#running = true
    // What else is invalidated in this turn goes along.
    await new Promise((resolve) => setImmediate(resolve))
    for (let batch = this.#next; batch; batch = this.#next) {
      this.#next = undefined
      batch.settle(await this.#carryOut(batch.set))
    }
    this.#running = false
  }

  async #carryOut(set: InvalidSet): Promise<boolean> {
    const { far } = this.#core
    this.#numbers = new Map()
    const isKnown = far ? await far.flush() : true
    const numbers = this.#numbers
    this.#numbers = undefined
    this.#effects.apply(set, numbers)
    const isTold = (await this.#announcer?.announce(set, numbers, !isKnown)) ?? true
    if (far && set.patterns.size > 0) this.#core.flights.inBackground(this.#sweepAll(set.patterns))
    return isTold
  }

  async #sweepAll(patterns: Iterable<string>): Promise<void> {
    for (const pattern of patterns) await this.#sweep(pattern)
  }

  /** Takes the keys of the far tier that a pattern matches away: the fence has made them invalid, and they only take room. */
  async #sweep(pattern: string): Promise<void> {
    const far = this.#core.far!
    let cursor: string | undefined
    do {
      const page = await far.ask('scan', (store) => store.browser.scan(pattern, cursor, SCAN_PAGE))
      cursor = page?.next
      if (!page || page.keys.length === 0) continue
      far.distrust.add(
        page.keys.map(({ key }) => key),
        [],
      )
      await far.flush()
    } while (cursor !== undefined)
  }
}

const NO_NUMBERS: ReadonlyMap<string, number> = new Map()

function newBatch(): Batch {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  return { set: new InvalidSet(), done: promise, settle: resolve }
}
