import {
  type Bus,
  type BusSubscriber,
  backgroundError,
  type Cancel,
  cacheInvalidation,
  newId,
  processIdentity,
  toError,
} from '@tailwater/core'
import type { CacheCore } from '../core.ts'
import { Announcer } from './announcer.ts'
import type { InvalidSet } from './invalid_set.ts'
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
/** Milliseconds that a call waits in all for the far tier and the others to be told; the telling goes on. */
const PATIENCE = 200

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
    return this.#announcer?.untold ?? 0
  }

  /** @param tx the caller's transaction: then it happens if and when that commits @throws E_CACHE_TRANSACTION */
  invalidate(set: InvalidSet, tx?: object): Promise<void> {
    return tx ? this.#transactional.invalidate(tx, set) : this.#patiently(this.line.push(set))
  }

  /** Who invalidates is not kept waiting by a bus that is away: what it could not be told is told later. */
  #patiently(work: Promise<unknown>, patience = PATIENCE): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#core.clock.after(patience, resolve)
      void work.then(() => {
        cancel()
        resolve()
      })
    })
  }

  /** Tells the others alone: here and in the far tier the value is the new one. @param since when the call began, as the clock's elapsed time: what it has waited for the far tier counts */
  async announce(set: InvalidSet, since: number): Promise<void> {
    if (!this.#announcer) return
    const left = Math.max(0, PATIENCE - (this.#core.clock.elapsed() - since))
    await this.#patiently(this.#announcer.announce(set, new Map(), false), left)
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
    await this.#announcer?.stop()
    this.#core.trust.follow(false)
    const unsubscribe = this.#unsubscribe
    this.#unsubscribe = undefined
    await unsubscribe?.()
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
