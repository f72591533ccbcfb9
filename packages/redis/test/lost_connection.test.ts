import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { startRedis } from '../src/testing/index.ts'
import { change, connect, eventually } from './test_server.ts'

describe('a lost connection', () => {
  it('is made again when the server is back, and commands fail at once meanwhile', async () => {
    const own = await startRedis()
    const redis = await connect({ url: own.url, reconnect: { min: 10, max: 50 } })
    try {
      const lost = change('lost')
      await own.kill()
      await lost
      await assert.rejects(redis.command('PING'), { code: 'E_REDIS_UNAVAILABLE' })
      const back = change('connected')
      await own.restart()
      await back
      assert.equal(await redis.command('PING'), 'PONG')
      await redis.stop()
    } finally {
      await own.stop()
    }
  })

  it('fails the commands under way, and says that they may have been done', async () => {
    const own = await startRedis()
    const redis = await connect({ url: own.url })
    try {
      own.freeze()
      const under = redis.command('INCR', 'a')
      void own.kill()
      await assert.rejects(under, (error) => hasCode(error, 'E_REDIS_UNAVAILABLE') && error.details['sent'] === true)
      await redis.stop()
    } finally {
      await own.stop()
    }
  })

  it('of a frozen server is given up after the time for a command, once, and made again when it thaws', async () => {
    const own = await startRedis()
    const redis = await connect({
      url: own.url,
      commandTimeout: 200,
      connectTimeout: 200,
      reconnect: { min: 10, max: 50 },
    })
    try {
      const lost = change('lost')
      own.freeze()
      await assert.rejects(
        redis.command('PING'),
        (error) => hasCode(error, 'E_REDIS_TIMEOUT') || hasCode(error, 'E_REDIS_UNAVAILABLE'),
      )
      await lost
      await assert.rejects(redis.command('PING'), { code: 'E_REDIS_UNAVAILABLE' })
      own.thaw()
      assert.equal(await eventually(() => redis.command('PING')), 'PONG')
      await redis.stop()
    } finally {
      own.thaw()
      await own.stop()
    }
  })

  it('lets commands wait for it, with an offline queue', async () => {
    const own = await startRedis({ persist: true })
    const redis = await connect({
      url: own.url,
      offlineQueue: true,
      commandTimeout: '20s',
      reconnect: { min: 10, max: 50 },
    })
    try {
      const lost = change('lost')
      await own.kill()
      await lost
      const waiting = redis.command('INCR', 'a')
      await own.restart()
      assert.equal(await waiting, 1)
      await redis.stop()
    } finally {
      await own.stop()
    }
  })
})
