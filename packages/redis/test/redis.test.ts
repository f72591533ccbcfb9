import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { hasCode, systemClock } from '@tailwater/core'
import { freePort, stressLifecycle } from '@tailwater/core/testing'
import { Redis as IoRedis } from 'ioredis'
import { createRedis, defineScript } from '../src/index.ts'
import { startRedis } from '../src/testing/index.ts'
import { change, connect, eventually, server } from './test_server.ts'

const increase = defineScript({
  name: 'test.increase',
  version: 1,
  keys: ['counter'],
  lua: `return redis.call('INCRBY', KEYS[1], ARGV[1])`,
})

describe('a connection to Redis', () => {
  it('runs commands, and says what the server refuses', async () => {
    const redis = await connect()
    await redis.command('SET', 'a', 'x')
    assert.equal(await redis.command('GET', 'a'), 'x')
    await assert.rejects(redis.command('INCR', 'a'), { code: 'E_REDIS_COMMAND' })
    await assert.rejects(
      redis.command('LPUSH', 'a', 1),
      (error) => hasCode(error, 'E_REDIS_COMMAND') && error.details['reply'] === 'WRONGTYPE',
    )
  })

  it('gives bytes where they are asked for', async () => {
    const redis = await connect()
    const bytes = Buffer.from([0, 255, 10, 13, 128])
    await redis.command('SET', 'bytes', bytes)
    const [outcome] = await redis.batch([{ command: 'GET', args: ['bytes'], bytes: true }])
    assert.deepEqual(outcome, { status: 'fulfilled', value: bytes })
    assert.deepEqual(await redis.call({ command: 'MGET', args: ['bytes', 'none'], bytes: true }), [bytes, null])
  })

  it('fails fast when nobody listens at the port', async () => {
    const port = await freePort()
    const startedAt = systemClock.elapsed()
    await assert.rejects(createRedis({ port }).start(), (error: Error) => {
      assert.ok(hasCode(error, 'E_REDIS_UNAVAILABLE'))
      assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:${port}.*ECONNREFUSED`))
      return true
    })
    assert.ok(systemClock.elapsed() - startedAt < 1_500)
  })

  it('may start while the server is away, fails at once meanwhile, and connects when it is back', async () => {
    const port = await freePort()
    const redis = await connect({ url: `redis://127.0.0.1:${port}`, lazy: true, reconnect: { min: 10, max: 50 } })
    await assert.rejects(redis.command('PING'), { code: 'E_REDIS_UNAVAILABLE' })
    assert.equal(redis.isReady, false)
    assert.equal((await redis.health()).state, 'down')
    const connected = change('connected')
    const late = await startRedis({ port })
    try {
      await connected
      assert.equal(await redis.command('PING'), 'PONG')
      await redis.stop()
    } finally {
      await late.stop()
    }
  })

  it('refuses commands before its start and after its stop', async () => {
    const redis = createRedis({ url: server.url })
    await assert.rejects(redis.command('PING'), { code: 'E_REDIS_CLOSED' })
    await redis.start()
    await redis.stop()
    await assert.rejects(redis.command('PING'), { code: 'E_REDIS_CLOSED' })
    await redis.start()
    assert.equal(await redis.command('PING'), 'PONG')
    await redis.stop()
  })

  it('answers what is under way before it stops', async () => {
    const redis = await connect()
    const under = Array.from({ length: 100 }, () => redis.command('INCR', 'a'))
    await redis.stop()
    assert.deepEqual(
      await Promise.all(under),
      Array.from({ length: 100 }, (_, i) => i + 1),
    )
  })

  it('starts and stops in any order, and leaves no connection behind', async () => {
    await stressLifecycle(createRedis({ url: server.url, name: 'stressed' }))
    const clients = await server.ask('CLIENT LIST')
    assert.ok(!clients.includes('stressed'), clients)
  })

  it('has names by which CLIENT LIST tells connections apart', async () => {
    const redis = await connect({ name: 'shop' })
    await redis.subscribe('news', { onMessage() {} })
    const clients = await server.ask('CLIENT LIST')
    assert.match(clients, /name=shop:commands/)
    assert.match(clients, /name=shop:subscriber/)
    assert.deepEqual(
      redis.connections().map(({ label, isReady }) => [label, isReady]),
      [
        ['commands', true],
        ['subscriber', true],
      ],
    )
  })

  it('opens no more connections than its budget', async () => {
    const redis = await connect({ maxConnections: 2 })
    const reader = await redis.dedicated('reader')
    await assert.rejects(redis.dedicated('other'), { code: 'E_REDIS_CONNECTION_BUDGET' })
    await assert.rejects(redis.subscribe('news', { onMessage() {} }), { code: 'E_REDIS_CONNECTION_BUDGET' })
    await reader.close()
    await redis.subscribe('news', { onMessage() {} })
  })

  it('lets a dedicated connection block for longer than a command may take', async () => {
    const redis = await connect({ commandTimeout: 200 })
    const reader = await redis.dedicated('reader')
    assert.equal(await reader.command('BLPOP', 'nothing', 0.5), null)
    await assert.rejects(redis.command('BLPOP', 'nothing', 0.5), { code: 'E_REDIS_TIMEOUT' })
  })

  it('tells its health with the version of the server', async () => {
    const { state, details } = await (await connect()).health()
    assert.equal(state, 'up')
    assert.match(String(details['version']), /^\d+\.\d+/)
  })
})

describe('credentials', () => {
  it('that are wrong are told from a server that is away', async () => {
    const own = await startRedis({ password: 'right' })
    try {
      await assert.rejects(createRedis({ port: own.port, password: 'wrong' }).start(), { code: 'E_REDIS_AUTH' })
      await assert.rejects(createRedis({ port: own.port }).start(), { code: 'E_REDIS_AUTH' })
      const redis = await connect({ url: own.url })
      assert.equal(await redis.command('PING'), 'PONG')
      await redis.stop()
    } finally {
      await own.stop()
    }
  })

  it('are fetched anew for each connection, so that they may rotate', async () => {
    const own = await startRedis({ password: 'first' })
    let current = 'first'
    const asked: string[] = []
    const redis = await connect({
      port: own.port,
      url: undefined as never,
      reconnect: { min: 10, max: 50 },
      password: async () => {
        asked.push(current)
        return { username: 'default', password: current }
      },
    })
    try {
      await own.ask('CONFIG SET requirepass second')
      current = 'second'
      const lost = change('lost')
      await redis.command('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => {})
      await lost
      assert.equal(await eventually(() => redis.command('PING')), 'PONG')
      assert.deepEqual([...new Set(asked)], ['first', 'second'])
      await redis.stop()
    } finally {
      await own.kill()
      await own.stop()
    }
  })
})

describe('scripts', () => {
  it('run by their hash, and are sent whole to a server that does not know them', async () => {
    const redis = await connect()
    assert.equal(await redis.run(increase, ['a'], [2]), 2)
    assert.equal(await redis.run(increase, ['a'], [2]), 4)
    await server.ask('SCRIPT FLUSH')
    assert.equal(await redis.run(increase, ['a'], [2]), 6)
    assert.match(await server.ask('INFO commandstats'), /cmdstat_eval:calls=2/)
  })

  it('run in a batch, in order, with each outcome by itself', async () => {
    const redis = await connect()
    await server.ask('SCRIPT FLUSH')
    await redis.command('SET', 'text', 'x')
    const calls = Array.from({ length: 100 }, () => ({ script: increase, keys: ['a'], args: [1] }))
    const outcomes = await redis.batch([
      ...calls,
      { script: increase, keys: ['text'], args: [1] },
      { command: 'GET', args: ['a'] },
    ])
    assert.deepEqual(
      outcomes.slice(0, 100),
      Array.from({ length: 100 }, (_, i) => ({ status: 'fulfilled', value: i + 1 })),
    )
    const failed = outcomes[100] as PromiseRejectedResult
    assert.ok(failed.status === 'rejected' && hasCode(failed.reason, 'E_REDIS_COMMAND'))
    assert.equal(outcomes[101]?.status, 'fulfilled')
  })

  it('need as many keys as they declare', async () => {
    const redis = await connect()
    await assert.rejects(redis.run(increase, [] as never), { code: 'E_OPTIONS' })
  })

  it('that have a time take it from the server, or from the caller in tests', async () => {
    const redis = await connect()
    const clock = defineScript({ name: 'test.clock', version: 1, keys: ['any'], time: true, lua: 'return now' })
    const told = await redis.run<number>(clock, ['a'])
    assert.ok(Math.abs(told - systemClock.now()) < 60_000)
    assert.equal(await redis.run(clock, ['a'], [], { at: 1_000 }), 1_000)
  })
})

describe('channels', () => {
  it('bring messages from the moment that subscribing resolves, to all listeners until they leave', async () => {
    const redis = await connect()
    const heard: string[] = []
    const leave = await redis.subscribe('news', { onMessage: (message) => heard.push(`a ${message}`) })
    const second = new Promise<void>((resolve) => {
      void redis
        .subscribe('news', { onMessage: (message) => message === '2' && resolve() })
        .then(() => redis.command('PUBLISH', 'news', '1'))
    })
    await redis.command('PUBLISH', 'news', '0')
    while (heard.length < 2) await new Promise((resolve) => setImmediate(resolve))
    leave()
    await redis.command('PUBLISH', 'news', '2')
    await second
    assert.deepEqual(heard, ['a 0', 'a 1'])
  })

  it('are listened to again after their connection was lost, and say so', async () => {
    const redis = await connect({ reconnect: { min: 10, max: 50 } })
    let lives = 0
    let heard = (_: string) => {}
    const message = new Promise<string>((resolve) => {
      heard = resolve
    })
    await redis.subscribe('news', { onMessage: (text) => heard(text), onLive: () => void lives++ })
    const back = change('connected', 'subscriber')
    await server.ask('CLIENT KILL TYPE pubsub')
    await back
    assert.ok(lives >= 2)
    await redis.command('PUBLISH', 'news', 'again')
    assert.equal(await message, 'again')
  })

  it('are live again after a stop and a start', async () => {
    const redis = await connect()
    let heard = (_: string) => {}
    const message = new Promise<string>((resolve) => {
      heard = resolve
    })
    await redis.subscribe('news', { onMessage: (text) => heard(text) })
    await redis.stop()
    await redis.start()
    await redis.command('PUBLISH', 'news', 'again')
    assert.equal(await message, 'again')
  })
})

describe("an application's own client", () => {
  it('is used and never closed', async () => {
    const client = new IoRedis(server.port)
    try {
      const redis = await connect({ url: undefined as never, client })
      assert.equal(redis.topology, 'external')
      assert.equal(await redis.run(increase, ['a'], [1]), 1)
      const message = new Promise<string>(
        (resolve) =>
          void redis.subscribe('news', { onMessage: resolve }).then(() => redis.command('PUBLISH', 'news', 'x')),
      )
      assert.equal(await message, 'x')
      await redis.stop()
      assert.equal(client.status, 'ready')
      assert.equal(await client.get('a'), '1')
    } finally {
      const ended = once(client, 'end')
      client.disconnect()
      await ended
    }
  })
})
