import assert from 'node:assert/strict'
import { after, afterEach, before, describe, it } from 'node:test'
import { hasCode, sleep, systemClock } from '@tailwater/core'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'
import type { JobsBackend } from '../../../src/backend.ts'
import { createRedisBackend } from '../../../src/backends/redis/index.ts'
import { ADD } from '../../../src/backends/redis/scripts/add.ts'
import { FIRE } from '../../../src/backends/redis/scripts/fire.ts'
import { TURN } from '../../../src/backends/redis/scripts/turn.ts'
import { countsOf, idsOf, keepAll, LEASE, newJob, Subject } from '../../../src/testing/contract/subject.ts'
import { type CuttingProxy, startCuttingProxy } from './cutting_proxy.ts'
import { auditKeys } from './key_audit.ts'

const wants = [{ queue: 'mail', count: 10 }]

let server: TestRedis
let prefixes = 0
const opened: Redis[] = []
before(async () => {
  server = await startRedis({ persist: true })
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((redis) => redis.stop()))
})
after(() => server.stop())

async function open(url = server.url): Promise<{ redis: Redis; backend: JobsBackend; subject: Subject }> {
  const redis = createRedis({ url, prefix: `faults-${++prefixes}` })
  opened.push(redis)
  await redis.start()
  const backend = createRedisBackend({ redis })
  await backend.start()
  const advance = () => Promise.reject(new Error('the time is the real one'))
  return { redis, backend, subject: new Subject({ backend, advance, close: () => redis.stop() }) }
}

const isLost = (error: unknown) => hasCode(error, 'E_REDIS_UNAVAILABLE')

async function reconnected(redis: Redis): Promise<void> {
  while (!redis.isReady) await sleep(systemClock, 10)
}

describe('a reply that is lost after the server has done its work', () => {
  let proxy: CuttingProxy
  before(async () => {
    proxy = await startCuttingProxy(server.port)
  })
  after(() => proxy.close())

  it('of an enqueueing is no second job when the call is repeated', async () => {
    const { redis, backend, subject } = await open(proxy.url)
    await subject.id()
    const jobs = [newJob(), newJob({ key: 'k', unique: { key: 'u' } }), newJob({ children: [newJob(), newJob()] })]
    proxy.loseReplyTo(ADD.sha1)
    await assert.rejects(backend.jobs.add(jobs), isLost)
    await reconnected(redis)
    assert.deepEqual((await backend.inspect.counts()).available, 5, 'the server had stored them')
    const again = await backend.jobs.add(jobs)
    assert.deepEqual(
      again,
      jobs.map(({ id }) => ({ id, outcome: 'stored' })),
    )
    assert.deepEqual(await backend.inspect.counts(), countsOf({ available: 5, pending: 1 }))
    await auditKeys(redis)
  })

  it('of a turn loses no job: the next one reconciles', async () => {
    const { redis, backend, subject } = await open(proxy.url)
    const ids = await subject.add(...Array.from({ length: 6 }, () => ({})))
    const first = await subject.turn('a', { wants: [{ queue: 'mail', count: 3 }] })
    proxy.loseReplyTo(TURN.sha1)
    const ends = first.claimed.map(
      ({ id, attempt }) => ({ id, attempt, outcome: 'completed', result: undefined }) as const,
    )
    await assert.rejects(subject.turn('a', { ends, wants }), isLost)
    await reconnected(redis)
    const reply = await subject.turn('a', { ends, wants, reconcile: [] })
    assert.deepEqual(idsOf(reply.claimed), ids.slice(3))
    assert.deepEqual(
      reply.claimed.map(({ attempt }) => attempt),
      [1, 1, 1],
    )
    assert.deepEqual(reply.refused.sort(), ids.slice(0, 3).sort(), 'the first call had ended them')
    assert.deepEqual(await backend.inspect.counts(), countsOf({ completed: 3, running: 3 }))
  })

  it('of a firing does not fire it twice', async () => {
    const { redis, backend } = await open(proxy.url)
    await backend.schedules.put({ name: 'nightly', definition: '{}', nextAt: 1 })
    await backend.schedules.fire('nobody', 1, 2, [])
    proxy.loseReplyTo(FIRE.sha1)
    await assert.rejects(backend.schedules.fire('nightly', 1, 2, [newJob()]), isLost)
    await reconnected(redis)
    assert.equal(await backend.schedules.fire('nightly', 1, 2, [newJob()]), false)
    assert.equal((await backend.inspect.counts()).available, 1)
  })
})

describe('a driver that sends a turn twice', () => {
  it('gets for it what it got first, and nothing else happens', async () => {
    const { redis, subject } = await open()
    const ids = await subject.add(...Array.from({ length: 6 }, () => ({})))
    const twice: Redis = Object.assign(Object.create(redis) as Redis, {
      topology: 'cluster' as const,
      run: (async (script, keys, args, options) => {
        if ((script as unknown) === TURN) await redis.run(script, keys, args, options)
        return redis.run(script, keys, args, options)
      }) as Redis['run'],
    })
    const { work, inspect } = createRedisBackend({ redis: twice })
    const turn = { worker: 'a', lease: LEASE, ends: [], wants: [{ queue: 'mail', count: 2 }] }
    const first = await work.turn(turn)
    assert.deepEqual(idsOf(first.claimed), ids.slice(0, 2))
    const [done, failed] = first.claimed
    const second = await work.turn({
      ...turn,
      ends: [
        { id: done!.id, attempt: 1, outcome: 'completed', result: undefined },
        { id: failed!.id, attempt: 1, outcome: 'failed', error: 'no', delay: 60_000 },
      ],
    })
    assert.deepEqual([idsOf(second.claimed), second.refused], [ids.slice(2, 4), []])
    assert.deepEqual(await inspect.counts(), countsOf({ completed: 1, retryable: 1, running: 2, available: 2 }))
  })

  it('gets for both of two turns that are under way what each got first', async () => {
    const { redis, subject } = await open()
    const ids = await subject.add(...Array.from({ length: 9 }, () => ({})))
    const sent: Promise<unknown>[] = []
    const both = Promise.withResolvers<void>()
    const twice: Redis = Object.assign(Object.create(redis) as Redis, {
      topology: 'cluster' as const,
      run: (async (script, keys, args, options) => {
        if ((script as unknown) !== TURN) return redis.run(script, keys, args, options)
        if (sent.push(redis.run(script, keys, args, options)) === 2) both.resolve()
        await both.promise
        await Promise.all(sent)
        return redis.run(script, keys, args, options)
      }) as Redis['run'],
    })
    const { work, inspect } = createRedisBackend({ redis: twice })
    const wants = (count: number) => ({ worker: 'a', lease: LEASE, ends: [], wants: [{ queue: 'mail', count }] })
    const replies = await Promise.all([work.turn(wants(2)), work.turn(wants(3))])
    assert.deepEqual(
      replies.map(({ claimed }) => idsOf(claimed)),
      [ids.slice(0, 2), ids.slice(2, 5)],
    )
    assert.deepEqual(await inspect.counts(), countsOf({ running: 5, available: 4 }))
  })
})

describe('a server', () => {
  it('that has forgotten its scripts gets them again', async () => {
    const { subject } = await open()
    for (let round = 0; round < 3; round++) {
      await server.ask('SCRIPT FLUSH')
      const id = await subject.id()
      await server.ask('SCRIPT FLUSH')
      const job = await subject.claimOne('a')
      assert.equal(job.id, id)
      await server.ask('SCRIPT FLUSH')
      await subject.complete('a', job)
    }
  })

  it('killed amid the work has all that it confirmed when it is back', async () => {
    const { redis, backend } = await open()
    await backend.maintain.configure('mail', {}, keepAll)
    const confirmed = new Set<string>()
    const completed = new Set<string>()
    let isOver = false
    const enqueue = async () => {
      while (!isOver) {
        const jobs = Array.from({ length: 20 }, () => newJob({ priority: confirmed.size % 3 }))
        const stored = await backend.jobs.add(jobs).catch(unlessAway)
        for (const { id } of stored ?? []) confirmed.add(id)
        if (!stored) await reconnected(redis)
      }
    }
    const work = async () => {
      let ends: { id: string; attempt: number; outcome: 'completed'; result: undefined }[] = []
      let reconcile: string[] | undefined
      while (!isOver) {
        const turn = { worker: 'a', lease: LEASE, ends, wants, ...(reconcile && { reconcile }) }
        const reply = await backend.work.turn(turn).catch(unlessAway)
        if (!reply) {
          reconcile = []
          await reconnected(redis)
          continue
        }
        for (const { id } of ends) if (!reply.refused.includes(id)) completed.add(id)
        reconcile = undefined
        ends = reply.claimed.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed', result: undefined }))
      }
    }
    const working = Promise.all([enqueue(), work()])
    for (let kills = 1; kills <= 3; kills++) {
      while (confirmed.size < kills * 200 || completed.size < kills * 50) await sleep(systemClock, 5)
      await server.restart()
      await reconnected(redis)
    }
    isOver = true
    await working
    const { jobs } = await backend.inspect.list({}, { limit: 1_000_000 })
    const states = new Map(jobs.map((job) => [job.id, job.state]))
    assert.deepEqual(
      [...confirmed].filter((id) => !states.has(id)),
      [],
    )
    assert.deepEqual(
      [...completed].filter((id) => states.get(id) !== 'completed'),
      [],
    )
    await auditKeys(redis)
  })
})

function unlessAway(error: unknown): undefined {
  if (!hasCode(error, 'E_REDIS_UNAVAILABLE') && !hasCode(error, 'E_REDIS_TIMEOUT')) throw error
}

describe('memory', () => {
  let full: TestRedis
  before(async () => {
    full = await startRedis()
  })
  after(() => full.stop())

  it('that is full refuses an enqueueing whole, and lets what is there be worked off', async () => {
    const { redis, backend, subject } = await open(full.url)
    await backend.maintain.configure('mail', { fair: true }, keepAll)
    const ids = await subject.add({}, { key: 'k' }, {}, {})
    const [first, second] = await subject.claim('a', 2)
    await full.ask('CONFIG SET maxmemory 1')
    const before = await redis.command<number>('DBSIZE')
    const flow = newJob({ key: 'new', unique: { key: 'new' }, children: [newJob(), newJob({ delay: 1_000 })] })
    for (const jobs of [
      [newJob()],
      [newJob({ queue: 'other', delay: 5 })],
      [flow],
      [newJob(), flow, newJob({ key: 'k' })],
    ])
      await assert.rejects(backend.jobs.add(jobs), { code: 'E_JOBS_MEMORY' })
    assert.equal(await redis.command('DBSIZE'), before)
    assert.equal(await backend.inspect.get(flow.id), undefined)
    await subject.complete('a', first!, '"done"')
    await subject.accept('a', second!, { outcome: 'failed', error: 'no', delay: 0 })
    assert.deepEqual(idsOf(await subject.claim('a', 4)).sort(), ids.slice(1).sort())
    await full.ask('CONFIG SET maxmemory 0')
    await auditKeys(redis)
    assert.equal((await backend.jobs.add([flow]))[0]!.outcome, 'stored')
  })

  it('that evicts is refused at the start, with or without a limit', async () => {
    for (const [policy, limit] of [
      ['allkeys-lru', '0'],
      ['volatile-ttl', '100mb'],
    ]) {
      await full.ask(`CONFIG SET maxmemory-policy ${policy}`)
      await full.ask(`CONFIG SET maxmemory ${limit}`)
      await assert.rejects(open(full.url), (error: Error) => {
        assert.ok(hasCode(error, 'E_JOBS_EVICTION'))
        assert.match(error.message, new RegExp(`${policy}.*noeviction`))
        return true
      })
    }
    await full.ask('CONFIG SET maxmemory-policy noeviction')
    await full.ask('CONFIG SET maxmemory 0')
    await open(full.url)
  })
})

describe('replicas', () => {
  it('that do not have a job in time are missed in the confirmation', async () => {
    const { redis } = await open()
    const { jobs, inspect } = createRedisBackend({ redis, replicas: 1 })
    const job = newJob()
    await assert.rejects(jobs.add([job]), { code: 'E_JOBS_REPLICAS' })
    assert.equal((await inspect.get(job.id))?.state, 'available', 'it is stored all the same')
  })
})
