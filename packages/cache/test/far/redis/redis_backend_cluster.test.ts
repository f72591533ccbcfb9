import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { createRedis, keySlot, type Redis } from '@tailwater/redis'
import { passTime, startRedisCluster, type TestCluster, type TestRedis } from '@tailwater/redis/testing'
import { createRedisBackend, redisBackendAcl } from '../../../src/far/redis/index.ts'
import { farBackendContract } from '../../../src/testing/index.ts'

let cluster: TestCluster
let redis: Redis
before(async () => {
  cluster = await startRedisCluster()
  for (const server of cluster.servers) await server.ask(`ACL SETUSER app on >secret ${redisBackendAcl().join(' ')}`)
  redis = createRedis({ cluster: { nodes: cluster.nodes.slice(0, 3) }, username: 'app', password: 'secret' })
  await redis.start()
})
after(async () => {
  await redis.stop()
  await cluster.stop()
})

/** Until a test kills one, the first three. */
const masters = (): readonly TestRedis[] => cluster.servers.slice(0, 3)
const onMasters = async (command: string) => void (await Promise.all(masters().map((server) => server.ask(command))))

farBackendContract('createRedisBackend in a cluster, with exactly its rights', {
  async open() {
    await onMasters('FLUSHALL')
    const backend = createRedisBackend({ redis })
    await backend.start()
    return {
      backend,
      pass: (ms) => passTime(masters(), ms),
      lose: () => onMasters('FLUSHALL'),
      close: () => backend.stop(),
    }
  },
})

it('a write that expects the nothing from before a failover is refused', async () => {
  const far = createRedisBackend({ redis })
  const key = 'failed-over:1'
  const slot = keySlot(`{cache:${key}}`)
  const [reading] = await far.entries.read([key])
  const master = await cluster.masterOf(slot)
  await master.kill()
  await cluster.failedOver(slot, master)
  const late = { key, envelope: Buffer.from('late'), ttl: 60_000, expected: reading!.version }
  assert.deepEqual(await far.entries.write([late]), [false])
  const [fresh] = await far.entries.read([key])
  assert.deepEqual(await far.entries.write([{ ...late, expected: fresh!.version }]), [true])
})
