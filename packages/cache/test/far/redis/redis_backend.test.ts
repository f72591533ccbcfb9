import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { hasCode, listen, redisConnection } from '@tailwater/core'
import { createRedis, type Redis, type RedisOptions } from '@tailwater/redis'
import { passTime, startRedis, type TestRedis } from '@tailwater/redis/testing'
import type { FarReading } from '../../../src/far/far_backend.ts'
import { createRedisBackend, redisBackendAcl } from '../../../src/far/redis/index.ts'
import { farBackendContract } from '../../../src/testing/index.ts'
import { acquire } from '../../../src/testing/subject.ts'

let server: TestRedis
before(async () => {
  server = await startRedis()
})
after(() => server.stop())

const opened: Redis[] = []
after(() => Promise.all(opened.map((redis) => redis.stop())))

async function connect(options: RedisOptions = {}): Promise<Redis> {
  const redis = createRedis({ url: server.url, reconnect: { min: 1, max: 10 }, ...options })
  await redis.start()
  opened.push(redis)
  return redis
}

async function subject(redis: Redis) {
  await server.ask('FLUSHALL')
  const backend = createRedisBackend({ redis })
  await backend.start()
  return {
    backend,
    pass: (ms: number) => passTime([server], ms),
    lose: async () => void (await server.ask('FLUSHALL')),
    close: () => backend.stop(),
  }
}

let plain: Promise<Redis> | undefined
farBackendContract('createRedisBackend', {
  async open() {
    plain ??= connect()
    return subject(await plain)
  },
})

let restricted: Promise<Redis> | undefined
farBackendContract('createRedisBackend with exactly its rights', {
  async open() {
    restricted ??= (async () => {
      const reply = await server.ask(`ACL SETUSER app on >secret ${redisBackendAcl().join(' ')}`)
      assert.match(reply, /OK/)
      return connect({ username: 'app', password: 'secret' })
    })()
    return subject(await restricted)
  },
})

describe('a far tier in Redis', () => {
  it('has no right to anything else', async () => {
    await server.ask(`ACL SETUSER app on >secret ${redisBackendAcl().join(' ')}`)
    const redis = await connect({ username: 'app', password: 'secret' })
    for (const command of ['FLUSHALL', 'KEYS *', 'GET other', 'SET tailwater:other 1', 'CONFIG GET *'])
      await assert.rejects(redis.command(...(command.split(' ') as [string])), /NOPERM/, command)
  })

  it('keeps caches of different names apart', async () => {
    const redis = await connect()
    const [one, two] = ['one', 'two'].map((name) => createRedisBackend({ redis, name }))
    await one!.entries.write([{ key: 'a:1', envelope: Buffer.from('x'), ttl: 60_000 }])
    assert.equal((await two!.entries.read(['a:1']))[0]!.envelope, undefined)
    const number = await one!.tags.invalidate(['t'])
    await two!.browser.clear()
    assert.ok((await one!.entries.read(['a:1']))[0]!.envelope)
    await one!.browser.clear()
    assert.deepEqual(await one!.tags.numbers(['t'], 0), [number])
  })

  it('refuses a write that expects the nothing from before a lost connection, with a lease or without', async () => {
    const forgetful = await startRedis()
    const redis = await connect({ url: forgetful.url })
    const far = createRedisBackend({ redis })
    const [reading] = await far.entries.read(['gone:1'])
    const again = new Promise<void>((resolve) => {
      const end = listen(redisConnection, ({ change, target }) => {
        if (change !== 'connected' || target !== redis.target) return
        end()
        resolve()
      })
    })
    // Without persistence it comes back empty: whatever was invalidated meanwhile is forgotten.
    await forgetful.restart()
    await again
    const late = { key: 'gone:1', envelope: Buffer.from('late'), ttl: 60_000, expected: reading!.version }
    assert.equal(await acquire(far, 'gone:1', reading!.version, 'p', 10_000), 'changed')
    assert.deepEqual(await far.entries.write([late, { ...late, lease: 'p' }]), [false, false])
    const [fresh] = await far.entries.read(['gone:1'])
    assert.equal(fresh!.envelope, undefined)
    assert.equal(await acquire(far, 'gone:1', fresh!.version, 'p', 10_000), 'granted')
    assert.deepEqual(await far.entries.write([{ ...late, expected: fresh!.version, lease: 'p' }]), [true])
    await redis.stop()
    await forgetful.stop()
  })

  it('a refused write of an earlier generation still gives its lease back', async () => {
    const redis = await connect()
    const far = createRedisBackend({ redis })
    const [reading] = await far.entries.read(['back:1'])
    assert.equal(await acquire(far, 'back:1', reading!.version, 'p', 60_000), 'granted')
    const late = { key: 'back:1', envelope: Buffer.from('late'), ttl: 60_000, expected: '-earlier', lease: 'p' }
    assert.deepEqual(await far.entries.write([late]), [false])
    assert.equal(await acquire(far, 'back:1', reading!.version, 'q', 60_000), 'granted')
  })

  it('rejects what the server refuses, and what cannot reach it', async () => {
    const redis = await connect()
    const far = createRedisBackend({ redis })
    await server.ask('RPUSH tailwater:{cache:odd:1} x')
    const write = { key: 'odd:1', envelope: Buffer.from('x'), ttl: 60_000, expected: '-' }
    await assert.rejects(far.entries.write([{ ...write, expected: 'e' }]), (error) => hasCode(error, 'E_REDIS_COMMAND'))
    await redis.stop()
    for (const call of [
      () => far.entries.read(['a:1']),
      () => far.tags.now(),
      () => far.ping(),
      () => far.browser.clear(),
    ])
      await assert.rejects(call(), (error) => hasCode(error, 'E_REDIS_CLOSED'))
  })

  it('replaces bytes of somebody else under its keys', async () => {
    const redis = await connect()
    const far = createRedisBackend({ redis })
    for (const bytes of [Buffer.from('x'), Buffer.from([0x80, 0xff, 0x00, 0xc3]), Buffer.alloc(300, 0x9f)]) {
      await redis.call({ command: 'SET', args: ['tailwater:{cache:odd:2}', bytes] })
      const [{ version: expected, envelope }] = (await far.entries.read(['odd:2'])) as [FarReading]
      assert.equal(envelope, undefined)
      assert.equal(await acquire(far, 'odd:2', expected, 'p', 60_000), 'granted')
      const write = { key: 'odd:2', envelope: Buffer.from('x'), ttl: 60_000, expected, lease: 'p' }
      assert.deepEqual(await far.entries.write([write, write]), [true, false])
    }
  })

  it('lets an empty text of somebody else stand, of which a script cannot tell when it came', async () => {
    const redis = await connect()
    const far = createRedisBackend({ redis })
    await redis.call({ command: 'SET', args: ['tailwater:{cache:odd:3}', ''] })
    const [reading] = await far.entries.read(['odd:3'])
    const write = { key: 'odd:3', envelope: Buffer.from('x'), ttl: 60_000 }
    assert.deepEqual(await far.entries.write([{ ...write, expected: reading!.version }]), [false])
    assert.deepEqual(await far.entries.write([write]), [true])
  })

  it('refuses wrong options', async () => {
    const redis = await connect()
    for (const options of [{}, { redis: {} }, { redis, name: 'a{b' }, { redis, nme: 'x' }])
      assert.throws(
        () => createRedisBackend(options as never),
        (error) => hasCode(error, 'E_OPTIONS'),
      )
  })
})
