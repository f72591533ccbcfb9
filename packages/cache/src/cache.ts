import { cacheAccess, cacheLoad, currentContext, toError } from '@tailwater/core'
import { type CacheOptions, resolveCacheOptions } from './options.ts'

/** What a look-up is made of. */
export interface GetOrSetOptions<Value> {
  key: string
  /** Runs on a miss, once for all callers of the key who ask meanwhile; what it rejects with they all get, and nothing is kept. */
  load(): Promise<Value>
  /** Milliseconds; the cache's own by default. */
  ttl?: number
}

/** What a cache has done since it was built. */
export interface CacheStats {
  entries: number
  hits: number
  misses: number
  loads: number
  evictions: number
}

/**
 * Decoded values in this process's memory.
 *
 * The value returned is the one kept, shared by all callers: treat it as read-only. A load that began before
 * its key was deleted is handed to those who waited for it, but never kept: it may have read the old row.
 */
export interface Cache<Value> {
  readonly name: string
  getOrSet(options: GetOrSetOptions<Value>): Promise<Value>
  /** Forgets the key, and what loads in flight for it will bring. */
  delete(key: string): void
  clear(): void
  stats(): CacheStats
}

interface Entry<Value> {
  value: Value
  /** `Clock.elapsed` at which it is no longer fresh. */
  expiresAt: number
}

/**
 * Builds a near-tier cache: least recently used out first, one load at a time per key.
 *
 * @example
 * const products = createCache<Product>({ name: 'product', ttl: '30s' })
 * const product = await products.getOrSet({ key: '42', load: () => findProduct(42) })
 */
export function createCache<Value>(options: CacheOptions): Cache<Value> {
  const { name, maxEntries, ttl: defaultTtl, clock } = resolveCacheOptions(options)
  // A Map iterates in order of insertion: re-inserting on a hit makes its first key the least recently used.
  const entries = new Map<string, Entry<Value>>()
  const loads = new Map<string, Promise<Value>>()
  const counts = { hits: 0, misses: 0, loads: 0, evictions: 0 }

  function fresh(key: string): Entry<Value> | undefined {
    const entry = entries.get(key)
    if (!entry) return undefined
    entries.delete(key)
    if (entry.expiresAt <= clock.elapsed()) return undefined
    entries.set(key, entry)
    return entry
  }

  function keep(key: string, value: Value, ttl: number): void {
    if (entries.size >= maxEntries) {
      entries.delete(entries.keys().next().value!)
      counts.evictions++
    }
    entries.set(key, { value, expiresAt: clock.elapsed() + ttl })
  }

  function startLoad({ key, load, ttl = defaultTtl }: GetOrSetOptions<Value>): Promise<Value> {
    const mine = timedLoad(load).then(
      (loaded) => {
        // Only this very load may settle the key: `delete` takes it out of the map.
        if (loads.get(key) === mine) {
          loads.delete(key)
          keep(key, loaded, ttl)
        }
        return loaded
      },
      (error: unknown) => {
        if (loads.get(key) === mine) loads.delete(key)
        throw error
      },
    )
    loads.set(key, mine)
    return mine
  }

  async function timedLoad(load: () => Promise<Value>): Promise<Value> {
    counts.loads++
    const startedAt = clock.elapsed()
    const requestId = currentContext()?.requestId
    const publish = (error: Error | undefined) => {
      if (cacheLoad.hasSubscribers)
        cacheLoad.publish({ requestId, cache: name, ms: clock.elapsed() - startedAt, error })
    }
    try {
      const loaded = await load()
      publish(undefined)
      return loaded
    } catch (error) {
      publish(toError(error))
      throw error
    }
  }

  function access(outcome: 'hit' | 'miss'): void {
    counts[outcome === 'hit' ? 'hits' : 'misses']++
    if (cacheAccess.hasSubscribers)
      cacheAccess.publish({ requestId: currentContext()?.requestId, cache: name, outcome })
  }

  return {
    name,
    async getOrSet(options) {
      const entry = fresh(options.key)
      access(entry ? 'hit' : 'miss')
      return entry ? entry.value : (loads.get(options.key) ?? startLoad(options))
    },
    delete(key) {
      entries.delete(key)
      loads.delete(key)
    },
    clear() {
      entries.clear()
      loads.clear()
    },
    stats: () => ({ entries: entries.size, ...counts }),
  }
}
