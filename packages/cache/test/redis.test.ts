import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Cache, type CacheOptions, createCache } from '@tailwater/cache'
import { createRedisBackend } from '@tailwater/cache/redis'
import { cacheFar, listen, systemClock } from '@tailwater/core'
import { createRedis, createRedisBus } from '@tailwater/redis'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'

let server: TestRedis
before(async () => {
  server = await startRedis()
})
after(() => server.stop())

/** A process with Redis alone: the far tier and the bus. */
async function node(options: CacheOptions = {}): Promise<Cache & { close(): Promise<void> }> {
  const redis = createRedis({ url: server.url, reconnect: { min: 5, max: 20 } })
  await redis.start()
  const cache = createCache({
    far: createRedisBackend({ redis }),
    bus: createRedisBus({ redis }),
    ttl: '1h',
    ...options,
  })
  await cache.start()
  const close = async () => {
    await cache.stop(systemClock.elapsed() + 100)
    await redis.stop()
  }
  after(close)
  return { ...cache, close }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await turn()
}

describe('a cache on Redis alone', () => {
  it('loads a key once for a thousand callers in two processes', async () => {
    const [a, b] = await Promise.all([node(), node()])
    const gate = Promise.withResolvers<string>()
    let loads = 0
    const load = () => {
      loads++
      return gate.promise
    }
    const callers = Array.from({ length: 1_000 }, (_, i) => (i % 2 ? a : b).getOrSet({ key: 'cold', load }))
    await until(() => loads > 0)
    gate.resolve('once')
    assert.deepEqual(new Set(await Promise.all(callers)), new Set(['once']))
    assert.equal(loads, 1)
  })

  it('tells every process of an invalidation, and repairs one whose subscription was lost', async () => {
    const [a, b] = await Promise.all([node(), node()])
    let row = 1
    const wanted = { key: 'row', tags: ['t'], load: async () => row }
    await until(async () => (await a.getOrSet(wanted)) === 1 && (await b.getOrSet(wanted)) === 1)
    row = 2
    await a.invalidate({ tags: ['t'] })
    await until(async () => (await b.getOrSet(wanted)) === 2)
    row = 3
    await server.ask('CLIENT KILL TYPE pubsub')
    await a.invalidate({ keys: ['row'] })
    await until(async () => (await b.getOrSet(wanted)) === 3)
  })

  it('answers from the source while Redis is frozen, and finds it again by itself', async () => {
    const a = await node({ farTimeout: 50 })
    const states: string[] = []
    const end = listen(cacheFar, ({ change }) => void states.push(change))
    server.freeze()
    for (let i = 0; i < 50; i++) assert.equal(await a.getOrSet({ key: `frozen ${i}`, load: () => i }), i)
    // The first of them met the limit; after that nobody asks Redis.
    assert.equal(a.stats().far?.timeouts, 1)
    assert.equal(a.stats().far?.state, 'open')
    server.thaw()
    await until(() => a.stats().far?.state === 'closed')
    end()
    await a.set('thawed', 1)
    assert.equal((await a.inspect('default:thawed'))?.far?.isValid, true)
  })

  it('answers while Redis is gone, and lets no old value out when it is back', async () => {
    const [a, b] = await Promise.all([node(), node()])
    await a.set('x', 'old')
    await server.kill()
    await until(async () => {
      await a.get(`probe ${systemClock.now()}`)
      return a.stats().far?.state === 'open'
    })
    await a.delete('x')
    assert.equal(await a.getOrSet({ key: 'x', load: () => 'new' }), 'new')
    await server.restart()
    await until(() => a.stats().far?.state === 'closed' && a.stats().far?.pendingInvalidations === 0)
    await until(async () => (await b.getOrSet({ key: 'x', load: () => 'new' })) === 'new')
  })
})
