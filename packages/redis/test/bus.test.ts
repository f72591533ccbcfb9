import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { BusMessage } from '@tailwater/core'
import { busContract, FakeClock } from '@tailwater/core/testing'
import { createRedis, createRedisBus, type Redis, type RedisBusOptions } from '../src/index.ts'
import { startRedis, startRedisCluster, type TestRedis } from '../src/testing/index.ts'

let server: TestRedis
before(async () => {
  server = await startRedis()
})
after(() => server.stop())

/** A way to the server that can be cut. */
async function createWay(port: number) {
  const sockets = new Set<Socket>()
  let isCut = false
  const proxy: Server = createServer((near) => {
    if (isCut) return near.destroy()
    const far = connectTcp(port, '127.0.0.1')
    for (const socket of [near, far]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
    }
    near.pipe(far).pipe(near)
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  const cut = () => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (proxy.address() as { port: number }).port,
    cut,
    heal() {
      isCut = false
    },
    close() {
      cut()
      proxy.close()
    },
  }
}

async function connect(port: number): Promise<Redis> {
  const redis = createRedis({ port, reconnect: { min: 5, max: 20 } })
  await redis.start()
  return redis
}

busContract('createRedisBus', {
  async open() {
    await server.ask('FLUSHALL')
    const way = await createWay(server.port)
    const [near, far] = await Promise.all([connect(server.port), connect(way.port)])
    const buses = [createRedisBus({ redis: near }), createRedisBus({ redis: far })] as const
    return {
      nodes: buses,
      cut: async () => way.cut(),
      heal: async () => way.heal(),
      settle: async () => {},
      async close() {
        await Promise.all([near.stop(), far.stop()])
        way.close()
      },
    }
  },
})

describe('the bus over Redis', () => {
  let redis: Redis
  before(async () => {
    redis = await connect(server.port)
  })
  after(() => redis.stop())

  async function listener(options: Partial<RedisBusOptions> = {}) {
    const clock = new FakeClock()
    const bus = createRedisBus({ redis, clock, ...options })
    const heard: string[] = []
    let wake = () => {}
    const tell = (text: string) => {
      heard.push(text)
      wake()
    }
    const end = await bus.subscribe('prices', {
      onMessage: ({ payload, sequence }: BusMessage) => tell(`${payload} at ${sequence}`),
      onGap: (reason) => tell(`gap: ${reason}`),
    })
    return {
      bus,
      clock,
      heard,
      end,
      async until(last: string) {
        while (heard.at(-1) !== last)
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      },
    }
  }

  it('counts messages from one, and starts a new end where the log is', async () => {
    await server.ask('FLUSHALL')
    const publisher = createRedisBus({ redis })
    await publisher.publish('prices', 'old')
    const { heard, until, end } = await listener()
    await publisher.publish('prices', 'a')
    await publisher.publish('other', 'b')
    await publisher.publish('prices', { c: 1 })
    await until('[object Object] at 4')
    assert.deepEqual(heard, ['a at 2', '[object Object] at 4'])
    await end()
  })

  it('tells of a new epoch when the data was lost, and goes on from there', async () => {
    const { bus, heard, until, end } = await listener()
    await bus.publish('prices', 'a')
    await bus.publish('prices', 'b')
    while (!heard.some((text) => text.startsWith('b'))) await new Promise((resolve) => setImmediate(resolve))
    heard.length = 0
    await server.ask('FLUSHALL')
    await bus.publish('prices', 'c')
    await until('c at 1')
    assert.deepEqual(heard, ['gap: epoch', 'c at 1'])
    await end()
  })

  it('is not deceived by a lost log that has grown to the same length again', async () => {
    const { bus, heard, until, end } = await listener()
    await bus.publish('prices', 'a')
    await bus.catchUp()
    const length = Number(
      (await redis.command<unknown[]>('XREVRANGE', redis.keyspace('bus:main')('log'), '+', '-', 'COUNT', 1))[0]
        ?.toString()
        .split('-')[0],
    )
    heard.length = 0
    // As after a failover to a replica that had not heard of it: nobody is told, and other messages take the numbers.
    await server.ask('FLUSHALL')
    await server.ask('CLIENT KILL TYPE pubsub')
    for (let i = 1; i <= length; i++) await bus.publish('prices', `other ${i}`)
    await until(`other ${length} at ${length}`)
    assert.equal(heard[0], 'gap: epoch')
    await end()
  })

  it('is not deceived by a message that has the next number in another log', async () => {
    await server.ask('FLUSHALL')
    const { bus, heard, until, end } = await listener()
    await bus.publish('prices', 'a')
    await until('a at 1')
    await server.ask('FLUSHALL')
    const log = redis.keyspace('bus:main')('log')
    await redis.command('XADD', log, '1-0', 'id', 'x', 'topic', 'prices', 'data', '"unheard"')
    await bus.publish('prices', 'b')
    await until('b at 2')
    assert.deepEqual(heard, ['a at 1', 'gap: epoch', 'unheard at 1', 'b at 2'])
    await end()
  })

  it('tells of a gap when the log was cut off behind a reader that was away', async () => {
    await server.ask('FLUSHALL')
    const log = redis.keyspace('bus:main')('log')
    const { bus, heard, until, end } = await listener()
    await bus.publish('prices', 'a')
    await until('a at 1')
    const silent = createRedisBus({ redis })
    await redis.command(
      'EVAL',
      `for i = 2, 9 do redis.call('XADD', KEYS[1], i .. '-0', 'id', 'x' .. i, 'topic', 'prices', 'data', i) end redis.call('XTRIM', KEYS[1], 'MAXLEN', 3)`,
      1,
      log,
    )
    await silent.publish('prices', 'z')
    await until('z at 10')
    assert.deepEqual(heard, ['a at 1', 'gap: gap', '7 at 7', '8 at 8', '9 at 9', 'z at 10'])
    await end()
  })

  it('finds by polling what no channel has told of', async () => {
    await server.ask('FLUSHALL')
    const { heard, until, clock, end } = await listener({ pollInterval: '5s' })
    const log = redis.keyspace('bus:main')('log')
    await redis.command('XADD', log, '1-0', 'id', 'x', 'topic', 'prices', 'data', '"unheard"')
    await clock.advance(4_999)
    assert.deepEqual(heard, [])
    await clock.advance(1)
    await until('unheard at 1')
    await end()
    assert.equal(clock.pending, 0)
  })

  it('does not store twice what a publisher repeats after a lost answer', async () => {
    await server.ask('FLUSHALL')
    const { bus, until, end, heard } = await listener()
    await bus.publish('prices', 'a')
    await until('a at 1')
    const log = redis.keyspace('bus:main')('log')
    const [[, fields]] = (await redis.command<[string, string[]][]>('XRANGE', log, '-', '+')) as [[string, string[]]]
    const { createBusLog } = await import('../src/bus_log.ts')
    const repeating = createBusLog(
      {
        ...redis,
        run: (script: never, keys: never, args: unknown[], more: never) =>
          redis.run(script, keys, [fields[1]!, ...args.slice(1)] as never, more),
      } as never,
      'main',
      100,
    )
    await repeating.append('prices', 'a')
    assert.equal(await redis.command('XLEN', log), 1)
    assert.deepEqual(heard, ['a at 1'])
    await end()
  })

  it('works over a cluster', async () => {
    const cluster = await startRedisCluster()
    const [a, b] = await Promise.all(
      [0, 1].map(async () => {
        const redis = createRedis({ cluster: { nodes: cluster.nodes } })
        await redis.start()
        return redis
      }),
    )
    const heard = new Promise<unknown>((resolve) => {
      void createRedisBus({ redis: a! })
        .subscribe('prices', { onMessage: ({ payload }) => resolve(payload), onGap() {} })
        .then(() => createRedisBus({ redis: b! }).publish('prices', 'x'))
    })
    assert.equal(await heard, 'x')
    await Promise.all([a!.stop(), b!.stop()])
    await cluster.stop()
  })
})
