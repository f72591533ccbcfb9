import assert from 'node:assert/strict'
import { it } from 'node:test'
import { listen, redisConnection } from '@tailwater/core'
import { Redis as IoRedis } from 'ioredis'
import { createRedis } from '../src/index.ts'
import { startRedis, startRedisCluster } from '../src/testing/index.ts'

/** Resolves when the commands' connection has been made again. */
function reconnected(): Promise<void> {
  return new Promise((resolve) => {
    const end = listen(redisConnection, ({ change, label }) => {
      if (change !== 'connected' || label !== 'commands') return
      end()
      resolve()
    })
  })
}

it('the generation stays while the connection stays, and grows with its loss', async () => {
  const server = await startRedis()
  const redis = createRedis({ url: server.url, reconnect: { min: 1, max: 5 } })
  await redis.start()
  const first = redis.generation
  await redis.command('FLUSHALL')
  assert.equal(redis.generation, first)
  const again = reconnected()
  await server.restart()
  await again
  assert.ok(redis.generation > first)
  await redis.stop()
  await server.stop()
})

it('the generation of a cluster grows with the loss of any node', async () => {
  const cluster = await startRedisCluster()
  const redis = createRedis({ cluster: { nodes: cluster.nodes.slice(0, 3) } })
  await redis.start()
  const master = await cluster.masterOf(0)
  // Connections to nodes are opened by their first command.
  await Promise.all(Array.from({ length: 50 }, (_, index) => redis.command('GET', `key:${index}`)))
  const first = redis.generation
  await redis.command('GET', 'key:0')
  assert.equal(redis.generation, first)
  await master.kill()
  await cluster.failedOver(0, master)
  await redis.command('GET', 'key:0')
  await Promise.all(Array.from({ length: 50 }, (_, index) => redis.command('GET', `key:${index}`)))
  assert.ok(redis.generation > first)
  await redis.stop()
  await cluster.stop()
})

it("the generation grows with the loss of the application's own connection", async () => {
  const server = await startRedis()
  const client = new IoRedis(server.port, server.host, { retryStrategy: () => 1 })
  client.on('error', () => {})
  const redis = createRedis({ client })
  await redis.start()
  const first = redis.generation
  const again = new Promise((resolve) => client.once('ready', resolve))
  await server.restart()
  await again
  assert.ok(redis.generation > first)
  await redis.stop()
  client.disconnect()
  await server.stop()
})
