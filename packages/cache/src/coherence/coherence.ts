import {
  type Bus,
  type BusSubscriber,
  backgroundError,
  type Cancel,
  cacheInvalidation,
  newId,
  notice,
  processIdentity,
  toError,
} from '@tailwater/core'
import type { CacheCore } from '../core.ts'
import { Announcer } from './announcer.ts'
import { InvalidSet } from './invalid_set.ts'
import { InvalidationLine } from './invalidation_line.ts'
import { NearEffects, type Spaces } from './near_effects.ts'
import { parseNews } from './news.ts'
import { type InvalidationOutbox, setOf, Transactional } from './transactional.ts'

/** What keeps the processes of one cache coherent. */
export interface CoherenceOptions {
  core: CacheCore
  spaces: Spaces
  bus: Bus | undefined
  outbox: InvalidationOutbox | undefined
  /** Caches of one name hear each other. */
  name: string
}

/** Milliseconds before a subscription that failed is tried again. */
const RETRY_MS = 1_000
/** Milliseconds that who changes something waits in all, for the far tier and for the others to be told; the telling goes on. */
const PATIENCE = 250

const NO_NUMBERS: ReadonlyMap<string, number> = new Map()

/**
 * Keeps what this process remembers in step with the others.
 *
 * Modes: *alone*: without a bus, or before `start`; *following*: every invalidation is heard in order; after a *gap* everything near is forgotten. While the bus is silent,
 * `Trust` bounds how stale anything may become.
 */
export class Coherence {
  readonly effects: NearEffects
  readonly line: InvalidationLine
  readonly #core: CacheCore
  readonly #bus: Bus | undefined
  readonly #topic: string
  readonly #from = `${processIdentity}:${newId().slice(-12)}`
  readonly #announcer: Announcer | undefined
  readonly #transactional: Transactional
  #unsubscribe: (() => Promise<void>) | undefined
  #cancel: Cancel = () => {}
  #isRunning = false
  /** Changes that somebody has waited for in vain, and that are not through yet. */
  #overdue = 0

  constructor({ core, spaces, bus, outbox, name }: CoherenceOptions) {
    this.#core = core
    this.#bus = bus
    this.#topic = `cache:${name}`
    this.effects = new NearEffects(core, spaces)
    this.#announcer = bus && new Announcer({ bus, clock: core.clock, topic: this.#topic, from: this.#from })
    this.line = new InvalidationLine(core, this.effects, this.#announcer)
    this.#transactional = new Transactional({
      core,
      effects: this.effects,
      line: this.line,
      bus,
      outbox,
      topic: this.#topic,
      name,
      from: this.#from,
    })
  }

  /** Names that the others have yet to hear of from here, and messages that the bus has not answered. */
  get untold(): number {
    return (this.#announcer?.waiting ?? 0) + this.#overdue
  }

  /** @param tx the caller's transaction: then it happens if and when that commits @throws E_CACHE_TRANSACTION */
  invalidate(set: InvalidSet, tx?: object): Promise<void> {
    return tx
      ? this.#transactional.invalidate(tx, set)
      : this.#patiently(this.line.push(set), this.#core.clock.elapsed())
  }

  /**
   * Who changes something is not kept waiting by a bus that is away: what it could not be told is told later. One has waited in vain, and while that lasts nobody else does.
   *
   * @param since `Clock.elapsed` from which the patience counts
   */
  #patiently(work: Promise<unknown>, since: number): Promise<void> {
    const { clock } = this.#core
    if (this.#overdue > 0) return Promise.resolve()
    return new Promise((resolve) => {
      let isOverdue = false
      const cancel = clock.after(Math.max(0, since + PATIENCE - clock.elapsed()), () => {
        isOverdue = true
        this.#overdue++
        resolve()
      })
      void work.then(() => {
        cancel()
        if (isOverdue) this.#overdue--
        resolve()
      })
    })
  }

  /** Tells the others alone: here and in the far tier the value is the new one. @param since `Clock.elapsed` when the change began */
  async announce(set: InvalidSet, since: number): Promise<void> {
    if (!this.#announcer) return
    // A message for each change would only pile up.
    if (this.#overdue > 0) this.#announcer.postpone(set)
    else await this.#patiently(this.#announcer.announce(set, NO_NUMBERS, false), since)
  }

  async start(): Promise<void> {
    this.#isRunning = true
    await this.#subscribe()
    await this.#transactional.start()
  }

  async stop(): Promise<void> {
    this.#isRunning = false
    this.#cancel()
    this.#transactional.stop()
    await this.#tellTheLast()
    this.#core.trust.follow(false)
    const unsubscribe = this.#unsubscribe
    this.#unsubscribe = undefined
    await unsubscribe?.()
  }

  /** What waits for the bus would be lost with this process: one more attempt, and a word of what failed. */
  async #tellTheLast(): Promise<void> {
    const announcer = this.#announcer
    if (!announcer) return
    if (announcer.waiting > 0)
      await this.#patiently(announcer.announce(new InvalidSet(), NO_NUMBERS, false), this.#core.clock.elapsed())
    announcer.stop()
    if (this.untold > 0 && notice.hasSubscribers)
      notice.publish({
        source: 'cache coherence',
        level: 'warn',
        message: 'the bus did not take all invalidations before the stop: others serve what they mean until their ttl',
        fields: { untold: this.untold },
      })
  }

  async #subscribe(): Promise<void> {
    if (!this.#bus) return
    try {
      this.#unsubscribe = await this.#bus.subscribe(this.#topic, this.#subscriber)
      // What is here may be older than the subscription.
      this.effects.forgetAll()
      this.#core.trust.follow(true)
    } catch (error) {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'cache coherence', error: toError(error) })
      if (this.#isRunning) this.#cancel = this.#core.clock.after(RETRY_MS, () => void this.#subscribe())
    }
  }

  readonly #subscriber: BusSubscriber = {
    onMessage: ({ payload }) => this.#hear(payload),
    onGap: () => this.effects.forgetAll(),
  }

  #hear(payload: unknown): void {
    const news = parseNews(payload)
    if (news.from === this.#from && (news.mark === undefined || this.#transactional.hasApplied(news.mark))) return
    const set = setOf(news)
    const numbers = new Map<string, number>()
    for (const [name, number] of news.tags ?? []) if (number !== null) numbers.set(name, number)
    this.effects.apply(set, numbers)
    if (cacheInvalidation.hasSubscribers)
      cacheInvalidation.publish({
        keys: set.keys.size,
        tags: set.namedTags(),
        patterns: [...set.patterns],
        origin: 'other',
      })
    const { far } = this.#core
    if (!far) return
    far.awaitedKeys.end(set.keys)
    far.awaitedTags.end(set.tags)
    if (!news.isPending) return
    far.distrust.add(set.keys, set.tags)
    this.#core.flights.inBackground(far.flush())
  }
}
