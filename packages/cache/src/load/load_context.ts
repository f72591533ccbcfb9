import type { Duration } from '@tailwater/core'
import { type LifeWish, wishedDuration } from '../policy.ts'
import { checkTags } from '../tag_name.ts'

/**
 * What a load is given, and what it may say of its own result.
 *
 * To be read from it, or taken out by name (`{ signal, setTtl }`): a copy with `...` has `key` and `stale` alone, as the rest is made when it is asked for.
 */
export interface LoadContext<Value = unknown> {
  readonly key: string
  /** Aborts when the load has taken longer than `loadTimeout`. */
  readonly signal: AbortSignal
  /** The value that is being replaced, if it may still be served: for conditional requests to the source. */
  readonly stale: Value | undefined
  /** How long this result is fresh, and how long beyond that it may be served; 0 does not keep it. @throws E_OPTIONS */
  setTtl(ttl: Duration, grace?: Duration): void
  /** Tags of this result, beside those it has anyway. @throws E_CACHE_TAG */
  addTags(...tags: string[]): void
  /** Hands the result out to those who wait, and keeps it nowhere. */
  skip(): void
}

/** What a load wishes that says nothing. */
const NO_LIFE: LifeWish = {}
const NO_TAGS: readonly string[] = []

/** The side of a context that the engine reads when the load has ended. What few loads ask for is made when one does. */
export class LoadWishes implements LoadContext {
  readonly key: string
  readonly stale: unknown
  life = NO_LIFE
  tags = NO_TAGS
  isSkipped = false
  #abort: AbortController | undefined

  constructor(key: string, stale: unknown) {
    this.key = key
    this.stale = stale
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    return this.#abort.signal
  }

  /** The load has taken too long. */
  abort(reason: Error): void {
    this.#abort ??= new AbortController()
    this.#abort.abort(reason)
  }

  // Functions, not methods: a load takes them out of its context.
  get setTtl() {
    return (ttl: Duration, grace?: Duration): void => {
      this.life = { ...this.life, ttl: wishedDuration(ttl, 'ttl') }
      if (grace !== undefined) this.life.grace = wishedDuration(grace, 'grace')
    }
  }

  get addTags() {
    return (...tags: string[]): void => {
      this.tags = checkTags([...this.tags, ...tags])
    }
  }

  get skip() {
    return (): void => {
      this.isSkipped = true
    }
  }
}

/** Brings the value of a key from where it comes from. */
export type Load = (context: LoadContext) => unknown
