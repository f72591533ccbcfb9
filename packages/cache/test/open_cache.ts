import { type CacheOptions, createCache, type NamespaceDefinition } from '@tailwater/cache'
import { FakeClock } from '@tailwater/core/testing'

/** A cache in memory with a clock of its own. */
export function open(options: CacheOptions = {}) {
  const clock = new FakeClock()
  return { clock, cache: createCache({ clock, ...options }) }
}

/** A namespace of products in such a cache. */
export function openNamespace<Value>(definition: NamespaceDefinition<number, Value>, options?: CacheOptions) {
  const { cache, clock } = open(options)
  return { cache, clock, products: cache.define('product', definition) }
}
