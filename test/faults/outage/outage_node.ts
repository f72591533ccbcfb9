// A process of an application with a cache, which asks it without pause and measures each answer. Its argument is a RedisOptions as JSON.

import { createCache } from '@tailwater/cache'
import { createRedisBackend } from '@tailwater/cache/redis'
import { cacheFar, listen, sleep, systemClock } from '@tailwater/core'
import { createRedis, createRedisBus, type RedisOptions } from '@tailwater/redis'
import { randomIntegers } from '../random.ts'
import { Stalls } from './stalls.ts'

/** A request that took its time. */
export interface SlowRequest {
  what: 'get' | 'set' | 'invalidate'
  /** When it began, in milliseconds since the Unix epoch. */
  at: number
  /** Milliseconds, those in which the process could not run left out. */
  ms: number
}

/** What a node says of itself. */
export interface NodeReport {
  requests: number
  /** Requests that failed. */
  errors: string[]
  /** Those of more than `SLOW` milliseconds. */
  slow: SlowRequest[]
  /** Of the breaker, with what opened it. */
  state: string
  farHits: number
}

/** Milliseconds above which a request is told of: far more than the source takes, and less than the far tier's time limit. */
const SLOW = 60
const LANES = 10
/** More than the near tier keeps, so that most requests go to the far tier. */
const KEYS = 400
const NEAR = 20

const place = JSON.parse(process.argv[2]!) as RedisOptions
const random = randomIntegers(Number(process.argv[3]))
const farRedis = createRedis({ ...place, lazy: true })
const busRedis = createRedis({ ...place, lazy: true })
const cache = createCache({
  far: createRedisBackend({ redis: farRedis }),
  bus: createRedisBus({ redis: busRedis, pollInterval: '1s' }),
  near: { maxEntries: NEAR },
  ttl: '1h',
})
const items = cache.define<number, string>('item', {
  async load(id) {
    await sleep(systemClock, 2)
    return `item ${id}`
  },
})

const stalls = new Stalls()
const slow: SlowRequest[] = []
const errors: string[] = []
let requests = 0
let lastError = ''
listen(cacheFar, ({ error }) => {
  if (error) lastError = error.message
})

async function request(what: SlowRequest['what'], run: () => Promise<unknown>): Promise<void> {
  const [at, from, lost] = [systemClock.now(), systemClock.elapsed(), stalls.total()]
  try {
    await run()
  } catch (error) {
    errors.push(`${what}: ${error}`)
  }
  const ms = systemClock.elapsed() - from - (stalls.total() - lost)
  requests++
  if (ms > SLOW) slow.push({ what, at, ms: Math.round(ms) })
}

async function lane(): Promise<void> {
  for (;;) {
    const id = random(0, KEYS - 1)
    const dice = random(1, 100)
    if (dice <= 2) await request('invalidate', () => items.invalidate(id))
    else if (dice <= 4) await request('set', () => items.set(id, `item ${id}`))
    else await request('get', () => items.get(id))
    await sleep(systemClock, random(0, 10))
  }
}

process.on('message', () => {
  const { far } = cache.stats()
  const report: NodeReport = {
    requests,
    errors: errors.slice(0, 5),
    slow,
    state: far?.state === 'closed' ? 'closed' : `${far?.state} (${lastError})`,
    farHits: items.stats().farHits,
  }
  process.send?.(report)
})
process.on('disconnect', () => process.exit(0))
await farRedis.start()
await busRedis.start()
await cache.start()
stalls.start()
for (let count = 0; count < LANES; count++) void lane()
process.send?.('ready')
