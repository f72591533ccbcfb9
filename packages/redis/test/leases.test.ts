import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { FakeClock, leaseContract } from '@tailwater/core/testing'
import { createRedis, createRedisLeases, type Redis } from '../src/index.ts'
import { startRedis, type TestRedis, withTime } from '../src/testing/index.ts'

let server: TestRedis
let redis: Redis
before(async () => {
  server = await startRedis()
  redis = createRedis({ url: server.url })
  await redis.start()
})
after(async () => {
  await redis.stop()
  await server.stop()
})

leaseContract('createRedisLeases', {
  async open() {
    const clock = new FakeClock()
    await redis.command('FLUSHALL')
    return {
      leases: createRedisLeases({ redis: withTime(redis, clock) }),
      pass: (ms) => clock.advance(ms),
      close: async () => {},
    }
  },
})

it("a lease ends by the server's clock", async () => {
  const leases = createRedisLeases({ redis })
  const first = await leases.acquire('short', 'a', 1)
  let second = await leases.acquire('short', 'b', 1_000)
  while (!second) second = await leases.acquire('short', 'b', 1_000)
  assert.ok(second.epoch > first!.epoch)
})

it('a lease may have any name', async () => {
  const leases = createRedisLeases({ redis })
  assert.ok(await leases.acquire('a{b}:c d/é', 'a', 1_000))
})
