import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createRedis, type Redis, type RedisOptions } from '../src/index.ts'
import { scanPage } from '../src/scan.ts'
import { startRedis, startRedisCluster } from '../src/testing/index.ts'

async function withRedis(options: RedisOptions, body: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = createRedis(options)
  await redis.start()
  await body(redis).finally(() => redis.stop())
}

async function everyKey(redis: Redis, match: string): Promise<{ keys: string[]; pages: number }> {
  const keys = new Set<string>()
  let cursor: string | undefined
  let pages = 0
  do {
    const page = await redis.scan({ match, cursor, count: 50 })
    for (const key of page.keys) keys.add(key)
    cursor = page.next
    pages++
  } while (cursor !== undefined)
  return { keys: [...keys].sort(), pages }
}

const names = Array.from({ length: 300 }, (_, index) => `item:${index}`).sort()

describe('scan', () => {
  it('finds the keys of one server, page by page', async () => {
    const server = await startRedis()
    await withRedis({ url: server.url }, async (redis) => {
      for (const name of [...names, 'other']) await redis.command('SET', name, 1)
      const { keys, pages } = await everyKey(redis, 'item:*')
      assert.deepEqual(keys, names)
      assert.ok(pages >= 6)
    }).finally(() => server.stop())
  })

  it('finds the keys of every master of a cluster', async () => {
    const cluster = await startRedisCluster()
    await withRedis({ cluster: { nodes: cluster.nodes.slice(0, 1) } }, async (redis) => {
      for (const name of [...names, 'other']) await redis.command('SET', name, 1)
      assert.deepEqual((await everyKey(redis, 'item:*')).keys, names)
    }).finally(() => cluster.stop())
  })

  it('goes on with the next master when the one of the cursor has left', async () => {
    const node = (port: number) => ({
      options: { host: 'h', port },
      call: async (_command: string, [from]: unknown[]) => ['0', [`${port} from ${from}`]],
    })
    const cluster = { isCluster: true, nodes: () => [node(7003), node(7001)] } as never
    const page = await scanPage(cluster, { match: '*', cursor: 'h:7002/55' })
    assert.deepEqual(page, { keys: ['7003 from 0'], next: undefined })
    const first = await scanPage(cluster, { match: '*' })
    assert.deepEqual(first, { keys: ['7001 from 0'], next: 'h:7003/0' })
    assert.deepEqual(await scanPage(cluster, { match: '*', cursor: 'h:7009/5' }), { keys: [], next: undefined })
  })
})
