import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { stressLifecycle } from '@tailwater/core/testing'
import { createRedis, createRedisLeases, defineScript, keySlot, type RedisOptions } from '../src/index.ts'
import { startRedisCluster, type TestCluster } from '../src/testing/index.ts'

const increase = defineScript({
  name: 'test.increase',
  version: 1,
  keys: ['counter'],
  lua: `return redis.call('INCRBY', KEYS[1], ARGV[1])`,
})

describe('a cluster', () => {
  let cluster: TestCluster
  before(async () => {
    cluster = await startRedisCluster({ password: 'secret' })
  })
  after(() => cluster.stop())

  const open = async (options: RedisOptions = {}) => {
    const redis = createRedis({ cluster: { nodes: cluster.nodes.slice(0, 3) }, password: 'secret', ...options })
    await redis.start()
    return redis
  }

  it('runs commands, scripts and batches on the nodes of their keys', async () => {
    const redis = await open()
    const keys = Array.from({ length: 200 }, (_, i) => redis.keyspace(`item:${i}`)('count'))
    const outcomes = await redis.batch(keys.map((key, i) => ({ script: increase, keys: [key], args: [i] })))
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === 'fulfilled' && outcome.value),
      keys.map((_, i) => i),
    )
    assert.equal(await redis.run(increase, [keys[7]!], [1]), 8)
    assert.equal(await redis.command('GET', keys[7]!), '8')
    await Promise.all(cluster.servers.slice(0, 3).map((server) => server.ask('SCRIPT FLUSH')))
    const again = await redis.batch(keys.map((key) => ({ script: increase, keys: [key], args: [0] })))
    assert.ok(again.every(({ status }) => status === 'fulfilled'))
    await redis.stop()
  })

  it('asks for credentials for each connection to a node', async () => {
    let asked = 0
    const redis = await open({
      password: async () => {
        asked++
        return 'secret'
      },
    })
    await Promise.all(Array.from({ length: 50 }, (_, i) => redis.command('INCR', `counter:${i}`)))
    assert.ok(asked >= 3, `asked ${asked} times`)
    await redis.stop()
    await assert.rejects(
      open({ password: () => 'wrong', connectTimeout: 1_000 }),
      (error) => hasCode(error, 'E_REDIS_AUTH') || hasCode(error, 'E_REDIS_UNAVAILABLE'),
    )
  })

  it('brings messages from whichever node they were published on', async () => {
    const [a, b] = await Promise.all([open(), open()])
    const message = new Promise<string>(
      (resolve) => void a.subscribe('news', { onMessage: resolve }).then(() => b.command('PUBLISH', 'news', 'x')),
    )
    assert.equal(await message, 'x')
    await Promise.all([a.stop(), b.stop()])
  })

  it('starts and stops in any order', async () => {
    await stressLifecycle(createRedis({ cluster: { nodes: cluster.nodes }, password: 'secret' }))
  })

  it('is survived by its clients when a master dies: calls go on without an error, and leases with them', async () => {
    const redis = await open({ commandTimeout: '20s' })
    const key = redis.keyspace('survivor')('count')
    const leases = createRedisLeases({ redis })
    const lease = await leases.acquire('relay', 'a', 600_000)
    await redis.run(increase, [key], [1])
    const slot = keySlot(key)
    const old = await cluster.masterOf(slot)
    // Replication is asynchronous: what is to survive must have reached the replica.
    await redis.command('WAIT', 1, 5_000)

    let isOver = false
    let calls = 0
    const calling = (async () => {
      while (!isOver) {
        await redis.run(increase, [key], [1])
        calls++
      }
    })()
    await old.kill()
    await cluster.failedOver(slot, old)
    const before = calls
    while (calls < before + 100) await new Promise((resolve) => setImmediate(resolve))
    isOver = true
    await calling
    assert.ok(Number(await redis.command('GET', key)) > 100)
    assert.ok(await leases.renew(lease!, 600_000))
    await redis.stop()
    await old.restart()
  })

  it('that nobody answers for is unavailable within the time to connect', async () => {
    await assert.rejects(
      createRedis({ cluster: { nodes: [{ host: '127.0.0.1', port: 1 }] }, connectTimeout: 500 }).start(),
      { code: 'E_REDIS_UNAVAILABLE' },
    )
  })
})
