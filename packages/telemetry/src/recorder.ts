import {
  type CacheAccessEvent,
  type Cancel,
  cacheAccess,
  type DatabasePoolEvent,
  type DatabaseQueryEvent,
  databasePool,
  databaseQuery,
  type HttpRequestEvent,
  httpRequest,
  type JobAttemptEvent,
  jobAttempt,
  listen,
} from '@tailwater/core'
import type { SeriesName } from './series.ts'
import { SlidingSketch } from './sliding_sketch.ts'

/** Seconds over which percentiles and the hit ratio are taken. */
const WINDOW_SECONDS = 10

/** The series that come from events. */
export type RecordedSeries = Exclude<SeriesName, `runtime.${string}` | 'jobs.waiting' | 'jobs.running'>

/** Options of a recorder, resolved. */
export interface RecorderOptions {
  ignorePaths: readonly string[]
  onError: (error: Error) => void
}

interface Counts {
  requests: number
  errors: number
  hits: number
  misses: number
  completed: number
  failed: number
  queries: number
}

const noCounts = (): Counts => ({ requests: 0, errors: 0, hits: 0, misses: 0, completed: 0, failed: 0, queries: 0 })

/** Counts what the engines publish, from its making until `close`. */
export class Recorder {
  #counts = noCounts()
  readonly #requests = new SlidingSketch(WINDOW_SECONDS)
  readonly #queries = new SlidingSketch(WINDOW_SECONDS)
  readonly #accesses: { hits: number; misses: number }[] = []
  readonly #pools = new Map<string, DatabasePoolEvent>()
  readonly #ignorePaths: readonly string[]
  readonly #cancels: Cancel[]

  constructor({ ignorePaths, onError }: RecorderOptions) {
    this.#ignorePaths = ignorePaths
    this.#cancels = [
      listen(httpRequest, (event) => this.#onRequest(event), onError),
      listen(cacheAccess, (event) => this.#onAccess(event), onError),
      listen(jobAttempt, (event) => this.#onAttempt(event), onError),
      listen(databaseQuery, (event) => this.#onQuery(event), onError),
      listen(databasePool, (event) => this.#onPool(event), onError),
    ]
  }

  /** What came in since the last call; counts are divided by `seconds`, the time since then. */
  take(seconds: number): Record<RecordedSeries, number | null> {
    const counts = this.#counts
    this.#counts = noCounts()
    const requests = this.#requests.window()
    const values = {
      'http.requests': counts.requests / seconds,
      'http.errors': counts.errors / seconds,
      'http.p50': requests.quantile(0.5) ?? null,
      'http.p95': requests.quantile(0.95) ?? null,
      'http.p99': requests.quantile(0.99) ?? null,
      'cache.hits': counts.hits / seconds,
      'cache.misses': counts.misses / seconds,
      'cache.hitRatio': this.#hitRatio(counts),
      'jobs.completed': counts.completed / seconds,
      'jobs.failed': counts.failed / seconds,
      'database.queries': counts.queries / seconds,
      'database.p95': this.#queries.window().quantile(0.95) ?? null,
      'database.open': this.#connections('open'),
      'database.idle': this.#connections('idle'),
      'database.waiting': this.#connections('waiting'),
    }
    this.#requests.turn()
    this.#queries.turn()
    return values
  }

  close(): void {
    for (const cancel of this.#cancels.splice(0)) cancel()
  }

  #onRequest(event: HttpRequestEvent): void {
    if (this.#ignorePaths.some((path) => event.path === path || event.path.startsWith(`${path}/`))) return
    this.#counts.requests++
    if (event.status >= 500) this.#counts.errors++
    this.#requests.record(event.ms)
  }

  /** A stale answer came from the cache, and is a hit. */
  #onAccess(event: CacheAccessEvent): void {
    if (event.outcome === 'miss') this.#counts.misses++
    else this.#counts.hits++
  }

  #onAttempt(event: JobAttemptEvent): void {
    if (event.outcome === 'completed') this.#counts.completed++
    else if (event.outcome === 'retryable' || event.outcome === 'dead') this.#counts.failed++
  }

  #onQuery(event: DatabaseQueryEvent): void {
    this.#counts.queries++
    this.#queries.record(event.ms)
  }

  #onPool(event: DatabasePoolEvent): void {
    this.#pools.set(event.pool, event)
  }

  #hitRatio({ hits, misses }: Counts): number | null {
    this.#accesses.push({ hits, misses })
    if (this.#accesses.length > WINDOW_SECONDS) this.#accesses.shift()
    const sum = this.#accesses.reduce((all, one) => ({ hits: all.hits + one.hits, misses: all.misses + one.misses }))
    const lookups = sum.hits + sum.misses
    return lookups === 0 ? null : sum.hits / lookups
  }

  #connections(state: 'open' | 'idle' | 'waiting'): number | null {
    if (this.#pools.size === 0) return null
    let sum = 0
    for (const pool of this.#pools.values()) sum += pool[state]
    return sum
  }
}
