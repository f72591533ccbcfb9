import { after, before, describe } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedis, startRedisCluster, type TestCluster, type TestRedis, withTime } from '@tailwater/redis/testing'
import { createRedisBackend } from '../../../src/backends/redis/index.ts'
import { type JobsBackendUnderTest, jobsBackendContract } from '../../../src/testing/index.ts'

let stores = 0

/** A backend of keys of its own, in the time of a clock. */
async function open(redis: Redis, tags: 'prefix' | 'queue' = 'prefix'): Promise<JobsBackendUnderTest> {
  const clock = new FakeClock()
  await redis.start()
  const backend = createRedisBackend({ redis: withTime(redis, clock), tags })
  await backend.start()
  return {
    backend,
    advance: (ms) => clock.advance(ms),
    async close() {
      await backend.stop()
      await redis.stop()
    },
  }
}

describe('a single server', () => {
  let server: TestRedis
  before(async () => {
    server = await startRedis()
  })
  after(() => server.stop())
  jobsBackendContract('Redis', { open: () => open(createRedis({ url: server.url, prefix: `single-${++stores}` })) })
})

/** Unique keys are of their queue there, and what has a family does not move: a walk does both. */
const walks = Object.fromEntries(
  [1, 2, 3, 4].map((walk) => [
    `does what memory does, walk ${walk}`,
    'unique keys are of one queue, and families stay',
  ]),
)

describe('a cluster', () => {
  let cluster: TestCluster
  before(async () => {
    cluster = await startRedisCluster()
  })
  after(() => cluster.stop())
  jobsBackendContract('Redis Cluster', {
    open: () => open(createRedis({ cluster: { nodes: cluster.nodes.slice(0, 3) }, prefix: `cluster-${++stores}` })),
  })
  jobsBackendContract('Redis Cluster, with a tag for each queue,', {
    open: () =>
      open(createRedis({ cluster: { nodes: cluster.nodes.slice(0, 3) }, prefix: `tags-${++stores}` }), 'queue'),
    except: walks,
  })
})
