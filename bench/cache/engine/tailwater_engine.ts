import { createCache } from '@tailwater/cache'
import { createRedisBackend } from '@tailwater/cache/redis'
import { createRedis, createRedisBus } from '@tailwater/redis'
import { type Engine, type EngineKind, type EngineOptions, TTL } from './engine.ts'
import type { Product } from './product.ts'

/** Milliseconds. */
const FAR_TIMEOUT = 2_000

/** Ours, as `tailwater` wires it in production: with its bus where there is Redis. */
export const tailwaterEngine: EngineKind = {
  name: 'tailwater',
  settings: {
    memory: "createCache({ environment: 'production', near: { maxEntries } })",
    redis:
      "createCache({ environment: 'production', near: { maxEntries }, far: createRedisBackend, bus: createRedisBus, farTimeout: '2s' })",
  },
  open,
}

async function open({ redisUrl, nearEntries }: EngineOptions): Promise<Engine> {
  const redis = redisUrl === undefined ? undefined : createRedis({ url: redisUrl })
  await redis?.start()
  const bus = redis && createRedisBus({ redis })
  const cache = createCache({
    environment: 'production',
    near: { maxEntries: nearEntries },
    ttl: TTL,
    // A machine that stands still for a moment must not have the breaker opened: a round in which anything is loaded that should have been hit is not counted at all.
    farTimeout: FAR_TIMEOUT,
    ...(redis && bus && { far: createRedisBackend({ redis }), bus }),
  })
  await cache.start()
  return {
    getOrSet: (key, load) => cache.getOrSet<Product>({ key, load }),
    getMany: (keys) => cache.getMany<Product>(keys),
    async close() {
      await cache.stop()
      await redis?.stop()
    },
  }
}
