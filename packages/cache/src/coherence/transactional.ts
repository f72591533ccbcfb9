import type { CacheCore } from '../core.ts'
import { cacheError } from '../errors.ts'
import { InvalidSet } from './invalid_set.ts'
import type { InvalidationLine } from './invalidation_line.ts'
import type { NearEffects } from './near_effects.ts'
import { type News, newsOf, parseNews } from './news.ts'

/** Of an outbox, what the cache needs: `createOutbox` of @tailwater/postgres fits. */
export interface InvalidationOutbox {
  append(tx: never, topic: string, payload: unknown): Promise<void>
  consumer(
    name: string,
    handler: (messages: readonly { readonly payload: unknown }[]) => void | Promise<void>,
    options?: { topics?: readonly string[] },
  ): Promise<void>
}

/** A bus that can publish within a transaction: `createPostgresBus` fits. */
export interface TransactionalBus {
  publishIn(tx: never, topic: string, payload: unknown): Promise<void>
}

/** What carries invalidations that commit with a transaction. */
export interface TransactionalOptions {
  core: CacheCore
  effects: NearEffects
  line: InvalidationLine
  bus: object | undefined
  outbox: InvalidationOutbox | undefined
  /** Of the bus. */
  topic: string
  /** The cache's name, in the outbox. */
  name: string
  /** This process's name in its news. */
  from: string
}

/** Commits that are remembered until their news comes back; beyond, the oldest is heard twice. */
const MOST_MARKS = 10_000

/**
 * Invalidates if and when a transaction commits.
 *
 * With a far tier a row of the outbox carries it: a consumer, one process at a time, tells the far tier and then everybody. Without one, or without an outbox, a message that the
 * transaction itself publishes tells everybody. Either way a crash right after the commit loses nothing.
 *
 * A transaction of ours tells when it has committed, and this process then no longer serves the old value: neither its own, nor the far tier's until the news
 * has come back.
 */
export class Transactional {
  readonly #options: TransactionalOptions
  #isConsuming = false
  #isOpen = false
  /** Of transactions that have committed, whose news is still to come. */
  readonly #committedMarks = new Set<string>()
  #markCount = 0

  constructor(options: TransactionalOptions) {
    this.#options = options
  }

  async invalidate(tx: object, set: InvalidSet): Promise<void> {
    const { outbox, bus, core, topic } = this.#options
    if (set.size === 0) return
    const mark = String(this.#markCount++)
    if (core.far && outbox) await outbox.append(tx as never, this.#rows, newsOf(set, new Map(), undefined, false))
    else if (isTransactional(bus))
      for (const news of this.#newsOf(set, mark)) await bus.publishIn(tx as never, topic, news)
    else
      throw cacheError(
        'E_CACHE_TRANSACTION',
        'to invalidate in a transaction the cache needs an outbox, or a bus over PostgreSQL',
      )
    if ('afterCommit' in tx)
      (tx as { afterCommit(task: () => void): void }).afterCommit(() => this.#committed(set, mark))
  }

  /** Whether this news of its own was carried out when its transaction committed; asked once for each. */
  hasApplied(mark: string): boolean {
    return this.#committedMarks.delete(mark)
  }

  /** One message has a mark, of more each is heard again. With a far tier everybody who can tell it has to hear it, the sender too. */
  #newsOf(set: InvalidSet, mark: string): News[] {
    const { core, from } = this.#options
    const all = newsOf(set, new Map(), undefined, core.far !== undefined)
    return core.far || all.length > 1 ? all : all.map((news) => ({ ...news, from, mark }))
  }

  /** Follows the outbox; once for the life of the cache, because a consumer ends with its outbox. */
  async start(): Promise<void> {
    this.#isOpen = true
    const { outbox, core, name } = this.#options
    if (!outbox || !core.far || this.#isConsuming) return
    this.#isConsuming = true
    await outbox.consumer(
      name === 'main' ? 'cache-invalidation' : `cache-invalidation-${name}`,
      (messages) => this.#carryOut(messages),
      {
        topics: [this.#rows],
      },
    )
  }

  stop(): void {
    this.#isOpen = false
  }

  get #rows(): string {
    return `cache-invalidation:${this.#options.name}`
  }

  async #carryOut(messages: readonly { readonly payload: unknown }[]): Promise<void> {
    // The outbox hands them to another process, or to this one when it is started again.
    if (!this.#isOpen) throw cacheError('E_CACHE_STOPPED', 'the cache is stopped')
    const set = new InvalidSet()
    for (const { payload } of messages)
      for (const news of Array.isArray(payload) ? payload : [payload]) set.add(setOf(parseNews(news)))
    const isTold = await this.#options.line.push(set)
    this.#known(set)
    // The row stays, and the next attempt tells them.
    if (!isTold) throw cacheError('E_CACHE_UNTOLD', 'the bus does not take the news of an invalidation')
  }

  #committed(set: InvalidSet, mark: string): void {
    const { core, effects } = this.#options
    if (!core.far) this.#committedMarks.add(mark)
    for (const oldest of this.#committedMarks) {
      if (this.#committedMarks.size <= MOST_MARKS) break
      this.#committedMarks.delete(oldest)
    }
    core.far?.awaitedKeys.add(set.keys)
    core.far?.awaitedTags.add(set.tags)
    effects.apply(set, new Map())
  }

  #known({ keys, tags }: InvalidSet): void {
    const { far } = this.#options.core
    far?.awaitedKeys.end(keys)
    far?.awaitedTags.end(tags)
  }
}

/** What news says is invalid. */
export function setOf({ keys = [], tags = [], patterns = [] }: News): InvalidSet {
  return InvalidSet.of(
    keys,
    tags.map(([name]) => name),
    patterns,
  )
}

function isTransactional(bus: object | undefined): bus is TransactionalBus {
  return bus !== undefined && 'publishIn' in bus
}
