import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedis, type TestRedis, withTime } from '@tailwater/redis/testing'
import { createMemoryBackend } from '../../../src/backends/memory/memory_backend.ts'
import { createRedisBackend } from '../../../src/backends/redis/index.ts'
import type { ClaimedJob, JobEnd } from '../../../src/job.ts'
import { LEASE, newJob, Subject } from '../../../src/testing/contract/subject.ts'
import { Walk } from '../../../src/testing/contract/walk.ts'
import { auditKeys } from './key_audit.ts'

const HOUR = 3_600_000

let server: TestRedis
let prefixes = 0
before(async () => {
  server = await startRedis()
})
after(() => server.stop())

/** A backend of keys of its own, in the time of a clock. */
async function open(): Promise<{ redis: Redis; subject: Subject }> {
  const clock = new FakeClock()
  const redis = createRedis({ url: server.url, prefix: `growth-${++prefixes}` })
  await redis.start()
  const backend = createRedisBackend({ redis: withTime(redis, clock) })
  await backend.start()
  return { redis, subject: new Subject({ backend, advance: (ms) => clock.advance(ms), close: () => redis.stop() }) }
}

async function namesOf(redis: Redis): Promise<string[]> {
  const root = redis.keyspace('jobs')()
  const keys = await redis.command<string[]>('KEYS', `${root}:*`)
  return keys.map((key) => key.slice(root.length + 1)).sort()
}

describe('what Redis holds', () => {
  for (const seed of [1, 2, 3])
    it(`is explained by the jobs there are, after each step of walk ${seed}`, async () => {
      const { redis, subject } = await open()
      const clock = new FakeClock()
      const memory = new Subject({
        backend: createMemoryBackend({ clock }),
        advance: (ms) => clock.advance(ms),
        close: async () => {},
      })
      const walk = new Walk(seed, memory, subject)
      for (let step = 0; step < 100; step++) {
        await walk.step()
        await auditKeys(redis)
      }
      await redis.stop()
    })

  it('is no more after many cycles than after one, and settings alone when the jobs are gone', async () => {
    const { redis, subject } = await open()
    const { maintain } = subject.backend
    const keep = { completed: { age: HOUR, count: 10 }, cancelled: { age: 60_000 }, dead: { age: 60_000, count: 10 } }
    await maintain.configure('plain', { concurrency: 50, rate: { count: 1_000, per: 1_000 } }, keep)
    await maintain.configure('fair', { fair: true, perKey: { concurrency: 2, rate: { count: 50, per: 1_000 } } }, keep)
    const sizes: number[] = []
    for (let cycle = 0; cycle < 60; cycle++) {
      await live(subject, cycle)
      await subject.advance(61_000)
      await maintain.sweep()
      sizes.push((await namesOf(redis)).length)
    }
    assert.equal(Math.max(...sizes.slice(30)), Math.max(...sizes.slice(3, 30)), 'the number of keys does not grow')
    assert.equal((await subject.backend.inspect.counts('plain')).completed, 10)
    await auditKeys(redis)
    await subject.advance(2 * HOUR)
    await workOff(subject, 'last')
    await subject.advance(2 * HOUR)
    for (let sweep = 0; sweep < 3; sweep++) await maintain.sweep()
    await subject.turn('last', { wants: [{ queue: 'fair', count: 1 }] })
    await subject.backend.work.leave('last')
    assert.deepEqual(await namesOf(redis), ['config', 'pace', 'queues', 'running', 'tick'])
    await redis.stop()
  })
})

/** A stretch of all that can happen to jobs: some 200 of them. */
async function live(subject: Subject, cycle: number): Promise<void> {
  const { jobs, work, maintain } = subject.backend
  const keys = [`a${cycle}`, `b${cycle}`, 'c']
  for (let batch = 0; batch < 4; batch++)
    await jobs.add(
      Array.from({ length: 40 }, (_, at) =>
        newJob({
          queue: at % 2 ? 'plain' : 'fair',
          priority: at % 3,
          maxAttempts: 2,
          ...(at % 4 === 0 && { key: keys[at % 3]! }),
          ...(at % 5 === 0 && { delay: at * 100 }),
          ...(at % 7 === 0 && { unique: { key: `u${cycle}.${batch}.${at}`, ...(at % 2 && { ttl: 5_000 }) } }),
          ...(at % 8 === 0 && { children: [newJob({ queue: 'plain' }), newJob({ queue: 'fair', key: 'c' })] }),
        }),
      ),
    )
  const [lost] = await subject.add({ queue: 'plain', key: 'c' })
  await maintain.cancel(lost!)
  const dying = `dying-${cycle}`
  await subject.turn(dying, {
    wants: [
      { queue: 'plain', count: 5 },
      { queue: 'fair', count: 5 },
    ],
  })
  const staying = await subject.turn(`leaving-${cycle}`, { wants: [{ queue: 'fair', count: 5 }] })
  await work.report(
    `leaving-${cycle}`,
    staying.claimed.map(({ id }) => ({ id, progress: '5', logs: ['a', 'b'] })),
  )
  for (const { id } of staying.claimed.slice(2)) await maintain.cancel(id)
  await work.leave(`leaving-${cycle}`)
  await subject.advance(LEASE + 1)
  await workOff(subject, `worker-${cycle}`)
  await work.leave(`worker-${cycle}`)
  await maintain.erase(`a${cycle}`, 1_000)
}

/** Ends all that can be claimed, in every way, until nothing is. */
async function workOff(subject: Subject, worker: string): Promise<void> {
  const wants = [
    { queue: 'plain', count: 20 },
    { queue: 'fair', count: 20 },
  ]
  let ends: JobEnd[] = []
  for (let idle = 0; idle < 5; ) {
    const reply = await subject.turn(worker, { wants, ends })
    ends = reply.claimed.map(endOf)
    idle = reply.claimed.length === 0 ? idle + 1 : 0
    await subject.advance(1_000)
  }
}

function endOf({ id, attempt }: ClaimedJob, position: number): JobEnd {
  if (position % 5 === 1) return { id, attempt, outcome: 'failed', error: 'no', delay: 100 }
  if (position % 11 === 2) return { id, attempt, outcome: 'dead', error: 'never' }
  if (position % 13 === 3 && attempt === 1) return { id, attempt, outcome: 'cancelled', error: 'unwanted' }
  return { id, attempt, outcome: 'completed', result: '1' }
}
