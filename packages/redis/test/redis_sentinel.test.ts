import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { createRedis } from '../src/index.ts'
import { startSentinel, type TestSentinel } from '../src/testing/index.ts'

describe('the master that sentinels name', () => {
  let sentinel: TestSentinel
  before(async () => {
    sentinel = await startSentinel()
  })
  after(() => sentinel.stop())

  it('is found, also when the first sentinel is away, and followed to its successor when it dies', async () => {
    const away = { host: '127.0.0.1', port: 1 }
    const redis = createRedis({
      sentinel: { nodes: [away, ...sentinel.sentinels], master: sentinel.master },
      reconnect: { min: 20, max: 200 },
    })
    await redis.start()
    assert.equal(redis.topology, 'sentinel')
    await redis.command('SET', 'a', 'kept')
    await redis.command('WAIT', 2, 5_000)

    const old = await sentinel.currentMaster()
    await old.kill()
    const refused = await redis.command('GET', 'a').then(
      () => undefined,
      (error: unknown) => error,
    )
    if (refused) assert.ok(hasCode(refused, 'E_REDIS_UNAVAILABLE'), String(refused))
    await sentinel.failedOver(old)
    for (;;) {
      try {
        await redis.command('SET', 'b', 'after')
        break
      } catch (error) {
        assert.ok(hasCode(error, 'E_REDIS_UNAVAILABLE') || hasCode(error, 'E_REDIS_TIMEOUT'), String(error))
        await new Promise((resolve) => setImmediate(resolve))
      }
    }
    assert.equal(await redis.command('GET', 'a'), 'kept')
    await redis.stop()
  })

  it('is not found under another name', async () => {
    await assert.rejects(createRedis({ sentinel: { nodes: sentinel.sentinels, master: 'other' } }).start(), {
      code: 'E_REDIS_UNAVAILABLE',
    })
  })
})
