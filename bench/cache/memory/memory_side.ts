// One process whose memory is looked at. It fills a cache with products and says what they take.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createCache } from '@tailwater/cache'
import { createRedisBackend } from '@tailwater/cache/redis'
import { createRedis } from '@tailwater/redis'
import { answerPlans } from '../../harness/side_process.ts'
import { productOf } from '../engine/product.ts'

/** How many products are kept, and where; without a server in this process's memory. */
export interface MemoryPlan {
  products: number
  redisUrl: string | undefined
}

answerPlans<MemoryPlan, number>(({ products, redisUrl }) =>
  redisUrl === undefined ? inMemory(products) : inRedis(products, redisUrl),
)

/** Bytes of heap and buffers that the entries take, keys and values included. */
async function inMemory(products: number): Promise<number> {
  const cache = createCache({
    environment: 'production',
    near: { maxEntries: products, maxBytes: '4gb' },
    ttl: '1h',
  })
  const before = usedBytes()
  for (let id = 0; id < products; id++) await cache.getOrSet({ key: `product:${id}`, load: () => copyOf(id) })
  const after = usedBytes()
  if (cache.stats().near.entries !== products) throw new Error(`${cache.stats().near.entries} entries are there`)
  return after - before
}

/** Bytes that the server says it uses more. */
async function inRedis(products: number, url: string): Promise<number> {
  const redis = createRedis({ url })
  await redis.start()
  const cache = createCache({
    environment: 'production',
    ttl: '1h',
    far: createRedisBackend({ redis }),
    farTimeout: '10s',
  })
  await cache.start()
  const used = async () => Number(/used_memory:(\d+)/.exec(await redis.command<string>('INFO', 'memory'))?.[1])
  const before = await used()
  for (let id = 0; id < products; id += 500) {
    const ids = Array.from({ length: Math.min(500, products - id) }, (_, at) => id + at)
    await cache.setMany(ids.map((one) => [`product:${one}`, copyOf(one)]))
  }
  const bytes = (await used()) - before
  const { next: _, keys } = await cache.keys({ tier: 'far', limit: 10 })
  if (keys.length === 0) throw new Error('nothing is in Redis')
  await cache.stop()
  await redis.stop()
  return bytes
}

/** A product with nothing that it shares with others, as JSON.parse makes it. */
function copyOf(id: number): unknown {
  return JSON.parse(JSON.stringify(productOf(id)))
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
