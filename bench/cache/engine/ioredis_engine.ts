import { type Engine, type EngineKind, type EngineOptions, TTL } from './engine.ts'
import type { Product } from './product.ts'

/** What a cache costs beyond the client: GET and JSON.parse, SET and JSON.stringify, and nothing that a cache is for. */
export const ioredisEngine: EngineKind = {
  name: 'raw ioredis',
  settings: { memory: 'none', redis: 'ioredis 6 with enableAutoPipelining; GET and JSON.parse, MGET for many' },
  open,
}

async function open({ redisUrl }: EngineOptions): Promise<Engine> {
  if (redisUrl === undefined) throw new Error('raw ioredis has no memory of its own')
  const { Redis } = await import('ioredis-6')
  const redis = new Redis(redisUrl, { enableAutoPipelining: true })
  return {
    async getOrSet(key, load) {
      const text = await redis.get(key)
      if (text !== null) return JSON.parse(text) as Product
      const product = await load()
      await redis.set(key, JSON.stringify(product), 'PX', TTL)
      return product
    },
    async getMany(keys) {
      const texts = await redis.mget(...keys)
      return texts.map((text) => (text === null ? undefined : (JSON.parse(text) as Product)))
    },
    async close() {
      redis.disconnect()
    },
  }
}
