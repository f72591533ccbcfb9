import { type Engine, type EngineKind, type EngineOptions, TTL } from './engine.ts'
import type { Product } from './product.ts'

/** cache-manager over the same stores as cacheable. */
export const cacheManagerEngine: EngineKind = {
  name: 'cache-manager',
  settings: {
    memory: 'stores: createKeyv({ lruSize, useClone: false, storeHashSize: 1 }) of @cacheable/memory',
    redis: 'the same, then createKeyv of @keyv/redis',
  },
  open,
}

async function open({ redisUrl, nearEntries }: EngineOptions): Promise<Engine> {
  const { createCache } = await import('cache-manager')
  const { createKeyv } = await import('@cacheable/memory')
  const redis = await import('@keyv/redis')
  const memory = createKeyv({ lruSize: nearEntries, useClone: false, storeHashSize: 1 })
  const cache = createCache({
    stores: redisUrl === undefined ? [memory] : [memory, redis.createKeyv(redisUrl)],
    ttl: TTL,
  })
  return {
    getOrSet: (key, load) => cache.wrap<Product>(key, load),
    getMany: (keys) => cache.mget<Product>([...keys]),
    async close() {
      await cache.disconnect()
    },
  }
}
