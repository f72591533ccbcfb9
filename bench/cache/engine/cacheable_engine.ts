import { type Engine, type EngineKind, type EngineOptions, TTL } from './engine.ts'
import type { Product } from './product.ts'

/** cacheable, with values in memory as they are (`useClone: false`) in a single Map, as its page on memory says for an LRU. */
export const cacheableEngine: EngineKind = {
  name: 'cacheable',
  settings: {
    memory: 'primary createKeyv({ lruSize, useClone: false, storeHashSize: 1 })',
    redis: 'the same with secondary createKeyv of @keyv/redis',
  },
  open,
}

async function open({ redisUrl, nearEntries }: EngineOptions): Promise<Engine> {
  const { Cacheable } = await import('cacheable')
  const { createKeyv } = await import('@cacheable/memory')
  const redis = await import('@keyv/redis')
  const primary = createKeyv({ lruSize: nearEntries, useClone: false, storeHashSize: 1 })
  const cache = new Cacheable({
    primary,
    ttl: TTL,
    ...(redisUrl !== undefined && { secondary: redis.createKeyv(redisUrl) }),
  })
  return {
    getOrSet: (key, load) => cache.getOrSet<Product>(key, load) as Promise<Product>,
    getMany: (keys) => cache.getMany<Product>([...keys]),
    close: () => cache.disconnect(),
  }
}
