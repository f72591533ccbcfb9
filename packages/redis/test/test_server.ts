import assert from 'node:assert/strict'
import { after, afterEach, before } from 'node:test'
import { hasCode, listen, type RedisConnectionEvent, redisConnection } from '@tailwater/core'
import { createRedis, type Redis, type RedisOptions } from '../src/index.ts'
import { startRedis, type TestRedis } from '../src/testing/index.ts'

/** A server for the tests of a file, emptied after each. */
export let server: TestRedis
const opened: Redis[] = []
before(async () => {
  server = await startRedis()
})
after(() => server.stop())
afterEach(async () => {
  for (const redis of opened.splice(0)) await redis.stop()
  await server.ask('FLUSHALL')
})

/** A connection to it, stopped after the test. */
export async function connect(options: RedisOptions = {}): Promise<Redis> {
  const redis = createRedis({ url: server.url, ...options })
  opened.push(redis)
  await redis.start()
  return redis
}

/** Resolves at the next change of that kind. */
export function change(wanted: RedisConnectionEvent['change'], label = 'commands'): Promise<RedisConnectionEvent> {
  return new Promise((resolve) => {
    const end = listen(redisConnection, (event) => {
      if (event.change !== wanted || event.label !== label) return
      end()
      resolve(event)
    })
  })
}

/** Runs a command until it succeeds: for waiting until a connection has been made again. */
export async function eventually<T>(act: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      assert.ok(hasCode(error, 'E_REDIS_UNAVAILABLE') || hasCode(error, 'E_REDIS_TIMEOUT'), String(error))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
