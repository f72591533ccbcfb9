import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { sleep, systemClock } from '@tailwater/core'
import { createRedis, keySlot, type RedisOptions } from '@tailwater/redis'
import { startRedisCluster, startSentinel, type TestRedis } from '@tailwater/redis/testing'
import { auditKeys } from '../../../packages/jobs/test/backends/redis/key_audit.ts'
import { record, seeds } from '../journal.ts'
import type { Produced } from './producer.ts'
import { figuresOf, playWork } from './work_scene.ts'

const MUST_HOLD =
  'No enqueueing lost that a replica had confirmed (WAIT 1); otherwise losses counted, and of nothing that was confirmed before the replica was cut off.'
/** Jobs of each seed. */
const TOTAL = process.env['TAILWATER_TEST_ALL_SEEDS'] ? 6_000 : 1_500
const WORKERS = 3
/** Few, so that jobs are enqueued right up to the death. */
const AHEAD = 300

/** Servers of which one is the master, and another takes its place when it dies. */
interface Failing {
  name: string
  place: RedisOptions
  master(): Promise<TestRedis>
  replicaOf(master: TestRedis): Promise<TestRedis>
  failedOver(from: TestRedis): Promise<unknown>
}

/** When the replica was cut off and when its master died, by `systemClock.elapsed`. */
interface Death {
  cutAt: number
  diedAt: number
}

/** Kills the master; before that its replica hears nothing for a while, as if the network between them had gone first. */
async function killMaster(failing: Failing, lag: number): Promise<Death> {
  const master = await failing.master()
  const replica = await failing.replicaOf(master)
  const cutAt = systemClock.elapsed()
  if (lag > 0) {
    // A password that the master does not have: the replica cannot connect again.
    await replica.ask('CONFIG SET masterauth wrong')
    await master.ask('CLIENT KILL TYPE replica')
    await sleep(systemClock, lag)
  }
  await master.kill()
  const diedAt = systemClock.elapsed()
  await failing.failedOver(master)
  await replica.ask('CONFIG SET masterauth ""')
  await master.restart()
  return { cutAt, diedAt }
}

async function play(failing: Failing, seed: number, lag: number, replicas: number): Promise<void> {
  let death: Death = { cutAt: 0, diedAt: 0 }
  const strike = async () => {
    death = await killMaster(failing, lag)
  }
  const store = { redis: failing.place, replicas }
  const { audit, produced } = await playWork(
    {
      store,
      seed,
      total: TOTAL,
      workers: WORKERS,
      ahead: AHEAD,
      strikes: [strike],
    },
    auditKeys,
  )
  const window = windowOf(audit.lost, produced, death)
  record({
    fault: `${failing.name} fails over amid jobs`,
    seed,
    mustHold: MUST_HOLD,
    figures: {
      confirmation: replicas > 0 ? 'replica' : 'master',
      'cut off ms before': Math.round(death.diedAt - death.cutAt),
      'window ms': Math.round(window),
      ...figuresOf(audit),
    },
  })
  assert.deepEqual(produced.surprises, [])
  assert.deepEqual([audit.unfinished, audit.astray], [[], []])
  if (replicas > 0) assert.deepEqual([audit.lost, audit.forgotten], [[], []])
  const early = [...audit.lost, ...audit.forgotten].filter(
    (id) => produced.confirmedAt.get(id)! < death.cutAt - IN_FLIGHT,
  )
  assert.deepEqual(early, [], 'what was confirmed long before the cut is lost')
}

/** Milliseconds that a replica may be behind its master while nobody cuts it off. */
const IN_FLIGHT = 1_000

/** How long before the master's death the oldest lost job was confirmed. */
function windowOf(lost: readonly string[], { confirmedAt }: Produced, { diedAt }: Death): number {
  return lost.reduce((most, id) => Math.max(most, diedAt - confirmedAt.get(id)!), 0)
}

async function openCluster(): Promise<Failing> {
  const cluster = await startRedisCluster()
  after(() => cluster.stop())
  const slot = keySlot(createRedis().keyspace('jobs')())
  return {
    name: 'a Redis Cluster of six',
    place: { cluster: { nodes: cluster.nodes } },
    master: () => cluster.masterOf(slot),
    replicaOf: (master) => replicaAmong(cluster.servers, master),
    failedOver: (from) => cluster.failedOver(slot, from),
  }
}

async function openSentinel(): Promise<Failing> {
  const sentinel = await startSentinel({ replicas: 1 })
  after(() => sentinel.stop())
  return {
    name: 'Redis with Sentinel',
    place: { sentinel: { nodes: sentinel.sentinels, master: sentinel.master } },
    master: () => sentinel.currentMaster(),
    replicaOf: (master) => replicaAmong(sentinel.servers, master),
    failedOver: (from) => sentinel.failedOver(from),
  }
}

async function replicaAmong(servers: readonly TestRedis[], { port }: TestRedis): Promise<TestRedis> {
  for (const server of servers)
    if ((await server.ask('INFO replication')).includes(`master_port:${port}`)) return server
  throw new Error('the master has no replica')
}

for (const seed of seeds([20261128, 12]))
  for (const open of [openCluster, openSentinel]) {
    const name = open === openCluster ? 'a Redis Cluster' : 'Sentinel'
    it(`a failover of ${name} loses no job that a replica had confirmed (seed ${seed})`, async () => {
      await play(await open(), seed, 400, 1)
    })

    it(`a failover of ${name} loses no more than what came after its replica was cut off (seed ${seed})`, async () => {
      await play(await open(), seed, 400, 0)
    })
  }
