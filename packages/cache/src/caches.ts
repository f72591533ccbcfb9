import type { Clock, Duration } from '@tailwater/core'
import { optionsError, parseDuration, systemClock } from '@tailwater/core'
import { type Cache, type CacheStats, createCache, type GetOrSetOptions } from './cache.ts'

/** A namespace of one kind of thing, found by its id. */
export interface CacheNamespace<Id, Value> {
  /** The value, from memory or by one load for all who ask meanwhile. */
  get(id: Id): Promise<Value>
  /** Forgets one, and what a load in flight for it will bring. */
  invalidate(id: Id): void
  stats(): CacheStats
}

/** How a namespace finds and keeps its values. */
export interface NamespaceDefinition<Id, Value> {
  /** Unique text of an id. @default String(id) */
  key?(id: Id): string
  load(id: Id): Promise<Value>
  /** @default '1m' */
  ttl?: Duration
  /** @default 10_000 */
  maxEntries?: number
}

/** The caches of one process. */
export interface Caches {
  /** Looks up in a namespace for everything that has none of its own. */
  getOrSet<Value>(options: Omit<GetOrSetOptions<Value>, 'ttl'> & { ttl?: Duration }): Promise<Value>
  /** A namespace with its own bound, lifetime and load. @throws E_OPTIONS, also for a name that is taken */
  define<Id, Value>(name: string, definition: NamespaceDefinition<Id, Value>): CacheNamespace<Id, Value>
  /** What each namespace has done, by name. */
  stats(): Record<string, CacheStats>
}

/**
 * Builds the caches of a process.
 *
 * @example
 * const caches = createCaches()
 * const products = caches.define('product', { load: (id: number) => findProduct(id), ttl: '30s' })
 * const product = await products.get(42)
 */
export function createCaches({ clock = systemClock }: { clock?: Clock } = {}): Caches {
  const shared: Cache<unknown> = createCache({ name: 'default', clock })
  const all = new Map<string, { stats(): CacheStats }>([['default', shared]])
  return {
    async getOrSet<Value>({ key, load, ttl }: Omit<GetOrSetOptions<Value>, 'ttl'> & { ttl?: Duration }) {
      const lifetime = ttl === undefined ? {} : { ttl: parseDuration(ttl, 'ttl') }
      return (await shared.getOrSet({ key, load, ...lifetime })) as Value
    },
    define<Id, Value>(name: string, { key = String, load, ...limits }: NamespaceDefinition<Id, Value>) {
      if (all.has(name)) throw optionsError('define.name', 'a name that no other namespace has', name)
      const cache = createCache<Value>({ name, clock, ...limits })
      all.set(name, cache)
      return {
        get: (id: Id) => cache.getOrSet({ key: key(id), load: () => load(id) }),
        invalidate: (id: Id) => cache.delete(key(id)),
        stats: cache.stats,
      }
    },
    stats: () => Object.fromEntries([...all].map(([name, cache]) => [name, cache.stats()])),
  }
}
