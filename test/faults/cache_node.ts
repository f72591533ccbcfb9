// One process of a cache in a fault test. Its source of values, and who asks it, is the parent, over the channel between them.
import { createCache } from '@tailwater/cache'
import { createRedisBackend } from '@tailwater/cache/redis'
import { createRedis, createRedisBus, type RedisOptions } from '@tailwater/redis'

/** Where the far tier and the bus are; given as JSON in the first argument. */
export interface NodeConfig {
  far: RedisOptions
  bus: RedisOptions
}

/** What a node is asked to do. */
export type Order = { id: number } & (
  | { read: string }
  | { invalidate: { keys?: string[]; tags?: string[] } }
  | { loaded: number }
)

/** What it says. */
export type Word = { ready: true } | { done: number; value?: number; ms: number } | { load: string; id: number }

const { far, bus } = JSON.parse(process.argv[2]!) as NodeConfig
const farRedis = createRedis({ ...far, lazy: true })
const busRedis = createRedis({ ...bus, lazy: true })
const cache = createCache({
  far: createRedisBackend({ redis: farRedis }),
  bus: createRedisBus({ redis: busRedis, pollInterval: '1s' }),
  ttl: '1h',
})

const loads = new Map<number, (value: number) => void>()
let lastLoad = 0
const say = (word: Word) => void process.send?.(word)

/** An item belongs to the group of its last digit. */
const items = cache.define<string, number>('item', {
  load(key, { addTags }) {
    addTags(`group-${key.at(-1)}`)
    return new Promise((resolve) => {
      loads.set(++lastLoad, resolve)
      say({ load: key, id: lastLoad })
    })
  },
})

async function obey(order: Order): Promise<void> {
  if ('loaded' in order) return loads.get(order.id)?.(order.loaded)
  const startedAt = performance.now()
  const value = 'read' in order ? await items.get(order.read) : undefined
  if ('invalidate' in order) {
    const { keys, tags } = order.invalidate
    await cache.invalidate({ ...(keys && { keys, namespace: 'item' }), ...(tags && { tags }) })
  }
  say({ done: order.id, ...(value !== undefined && { value }), ms: performance.now() - startedAt })
}

process.on('message', (order: Order) => void obey(order))
process.on('disconnect', () => process.exit(0))
await farRedis.start()
await busRedis.start()
await cache.start()
say({ ready: true })
