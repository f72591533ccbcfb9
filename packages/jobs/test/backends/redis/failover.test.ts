import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { createRedis, keySlot } from '@tailwater/redis'
import { startRedisCluster, type TestCluster } from '@tailwater/redis/testing'
import { createRedisBackend } from '../../../src/backends/redis/index.ts'
import type { JobEnd } from '../../../src/job.ts'
import { LEASE, newJob } from '../../../src/testing/contract/subject.ts'
import { auditKeys } from './key_audit.ts'

let cluster: TestCluster
before(async () => {
  cluster = await startRedisCluster()
})
after(() => cluster.stop())

const open = async () => {
  const redis = createRedis({ cluster: { nodes: cluster.nodes.slice(0, 3) }, commandTimeout: '20s' })
  await redis.start()
  return redis
}

it('enqueueings that a replica had before they were confirmed outlive their master, and all jobs end', async () => {
  const redis = await open()
  const backend = createRedisBackend({ redis, replicas: 1 })
  await backend.start()
  const slot = keySlot(redis.keyspace('jobs')())
  const old = await cluster.masterOf(slot)
  const confirmed: string[] = []
  const tried: string[] = []
  let isOver = false

  const enqueuing = (async () => {
    while (!isOver) {
      const jobs = Array.from({ length: 10 }, () => newJob())
      tried.push(...jobs.map(({ id }) => id))
      const stored = await backend.jobs.add(jobs).catch((error: unknown) => {
        // Between the death of the master and its return there is no replica to wait for.
        if (!hasCode(error, 'E_JOBS_REPLICAS') && !hasCode(error, 'E_REDIS_UNAVAILABLE')) throw error
      })
      for (const { id } of stored ?? []) confirmed.push(id)
    }
  })()
  let ends: JobEnd[] = []
  const takeTurn = async (reconcile?: string[]) => {
    const wants = [{ queue: 'mail', count: 50 }]
    const turn = { worker: 'a', lease: LEASE, ends, wants, ...(reconcile && { reconcile }) }
    const reply = await backend.work.turn(turn)
    ends = reply.claimed.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed', result: undefined }))
    return reply.claimed.length
  }
  const working = (async () => {
    while (!isOver) await takeTurn()
  })()

  while (confirmed.length < 200) await new Promise((resolve) => setImmediate(resolve))
  await old.kill()
  await cluster.failedOver(slot, old)
  const before = tried.length
  while (tried.length < before + 30) await new Promise((resolve) => setImmediate(resolve))
  isOver = true
  await Promise.all([enqueuing, working])
  // What the successor did not know of was given to the worker again, or is given to it now.
  for (let reconcile: string[] | undefined = []; (await takeTurn(reconcile)) > 0 || reconcile; reconcile = undefined) {}
  const { jobs } = await backend.inspect.list({}, { limit: 1_000_000 })
  const ended = new Set(jobs.filter(({ state }) => state === 'completed').map(({ id }) => id))
  assert.deepEqual(
    confirmed.filter((id) => !ended.has(id)),
    [],
  )
  assert.equal(ended.size, jobs.length)
  await auditKeys(redis)
  await redis.stop()
  await old.restart()
})
