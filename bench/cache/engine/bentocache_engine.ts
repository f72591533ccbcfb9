import { type Engine, type EngineKind, type EngineOptions, TTL } from './engine.ts'
import type { Product } from './product.ts'

/**
 * bentocache. In memory alone it keeps values as they are (`serialize: false`, its fastest); with a second level it cannot (its issue 111), and its
 * bus makes it coherent as ours is.
 */
export const bentocacheEngine: EngineKind = {
  name: 'bentocache',
  settings: {
    memory: 'memoryDriver({ maxItems, serialize: false })',
    redis: 'memoryDriver({ maxItems }), redisDriver and redisBusDriver over ioredis 5 with enableAutoPipelining',
  },
  open,
}

async function open({ redisUrl, nearEntries }: EngineOptions): Promise<Engine> {
  const { BentoCache, bentostore } = await import('bentocache')
  const { memoryDriver } = await import('bentocache/drivers/memory')
  const { redisDriver, redisBusDriver } = await import('bentocache/drivers/redis')
  const { Redis } = await import('ioredis')
  const connection = redisUrl === undefined ? undefined : new Redis(redisUrl, { enableAutoPipelining: true })
  const store = connection
    ? bentostore()
        .useL1Layer(memoryDriver({ maxItems: nearEntries }))
        .useL2Layer(redisDriver({ connection }))
        .useBus(redisBusDriver({ connection: { host: connection.options.host!, port: connection.options.port! } }))
    : bentostore().useL1Layer(memoryDriver({ maxItems: nearEntries, serialize: false }))
  const cache = new BentoCache({ default: 'products', ttl: TTL, stores: { products: store } })
  return {
    getOrSet: (key, load) => cache.getOrSet({ key, factory: load }),
    // It has no call for many.
    getMany: (keys) => Promise.all(keys.map((key) => cache.get<Product>({ key }))),
    async close() {
      await cache.disconnect()
      connection?.disconnect()
    },
  }
}
