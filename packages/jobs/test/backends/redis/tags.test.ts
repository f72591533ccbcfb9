import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { createJobs, type JobsBackend } from '@tailwater/jobs'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createOutbox, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedisCluster } from '@tailwater/redis/testing'
import { nextAttempt } from '../../testing/engine.ts'
import { newJob, takeTurn } from '../postgres/ground.ts'

const cluster = await startRedisCluster()
const open: Redis[] = []
after(async () => {
  for (const redis of open) await redis.stop()
  await cluster.stop()
})
let prefixes = 0

async function connect(prefix = `tags-${++prefixes}`): Promise<{ redis: Redis; prefix: string; backend: JobsBackend }> {
  const redis = createRedis({ cluster: { nodes: cluster.nodes.slice(0, 3) }, prefix })
  open.push(redis)
  await redis.start()
  return { redis, prefix, backend: createRedisBackend({ redis, tags: 'queue' }) }
}

const QUEUES = Array.from({ length: 12 }, (_, n) => `queue-${n}`)

it('queues lie on several nodes of a cluster, and one engine runs the jobs of all of them', async () => {
  const { redis, prefix, backend } = await connect()
  const jobs = createJobs({ backend, queues: Object.fromEntries(QUEUES.map((queue) => [queue, { concurrency: 2 }])) })
  const seen = new Set<string>()
  const kinds = QUEUES.map((queue, n) =>
    jobs.define<number>({ kind: `kind-${n}`, queue, run: ({ payload }) => void seen.add(`${queue}:${payload}`) }),
  )
  const last = nextAttempt(() => seen.size === 12 * 20)
  await jobs.start()
  for (const kind of kinds) await kind.enqueueMany(Array.from({ length: 20 }, (_, n) => n))
  await last
  await jobs.stop()
  assert.equal((await jobs.counts()).completed, 240)
  assert.deepEqual(
    (await jobs.inspect.queues()).filter((queue) => queue !== 'default'),
    QUEUES.toSorted(),
  )
  const slots = await Promise.all(
    QUEUES.map((queue) => redis.command<number>('CLUSTER', 'KEYSLOT', `${prefix}:{jobs.${queue}}`)),
  )
  assert.ok(new Set(slots.map((slot) => Math.floor(slot / 5_461))).size > 1, 'all on one node')
})

it('a worker keeps its jobs of one queue while it only asks for another', async () => {
  const { backend } = await connect()
  const job = newJob({ queue: 'mail' })
  await backend.jobs.add([job])
  const lease = 200
  const mine = { worker: 'a', lease, ends: [], wants: [{ queue: 'mail', count: 1 }] }
  const [claimed] = (await backend.work.turn(mine)).claimed
  assert.equal(claimed?.id, job.id)
  const { schedules } = backend
  const { now: from } = await schedules.due(1)
  while ((await schedules.due(1)).now < from + 3 * lease)
    await backend.work.turn({ worker: 'a', lease, ends: [], wants: [{ queue: 'sms', count: 1 }] })
  const { claimed: taken } = await takeTurn(backend, 'b', { wants: [{ queue: 'mail', count: 1 }] })
  assert.deepEqual(taken, [])
  const { refused } = await takeTurn(backend, 'a', {
    ends: [{ id: job.id, attempt: 1, outcome: 'completed', result: undefined }],
  })
  assert.deepEqual(refused, [])
})

it('dead jobs are redriven into another queue, and one that was stored there before a crash is not stored twice', async () => {
  const { backend } = await connect()
  const dead = [newJob({ queue: 'mail', key: 'k' }), newJob({ queue: 'mail', payload: '{"n":2}', tags: ['t'] })]
  await backend.jobs.add(dead)
  const { claimed } = await takeTurn(backend, 'a', { wants: [{ queue: 'mail', count: 2 }] })
  await takeTurn(backend, 'a', { ends: claimed.map(({ id }) => ({ id, attempt: 1, outcome: 'dead', error: 'no' })) })
  // What a process did that died before it deleted the job from the first queue.
  await backend.jobs.add([{ ...dead[0]!, queue: 'sms' }])
  const filter = { queue: 'mail', states: ['dead'] as const }
  assert.equal(await backend.maintain.redrive(filter, 10, 'sms'), 2)
  assert.equal((await backend.inspect.counts('mail')).dead, 0)
  const moved = await backend.inspect.list({ queue: 'sms' }, { limit: 10 })
  assert.deepEqual(
    moved.jobs.map(({ id, state, attempt }) => [id, state, attempt]).toSorted(),
    dead.map(({ id }) => [id, 'available', 0]).toSorted(),
  )
  const [second] = (await backend.inspect.list({ tag: 't' }, { limit: 10 })).jobs
  assert.deepEqual([second?.queue, second?.payload], ['sms', '{"n":2}'])
})

it('a flow through several queues is refused, and so is what was kept the other way', async () => {
  const { backend, redis } = await connect()
  await assert.rejects(
    backend.jobs.add([newJob({ queue: 'mail', children: [newJob({ queue: 'sms' })] })]),
    (error) => hasCode(error, 'E_JOB_FLOW') && /'sms'/.test(error.message),
  )
  await backend.jobs.add([newJob({ queue: 'mail', children: [newJob({ queue: 'mail' })] })])
  await backend.start()
  await assert.rejects(createRedisBackend({ redis }).start(), (error) => hasCode(error, 'E_JOBS_TAGS'))
  const { redis: other } = await connect()
  const whole = createRedisBackend({ redis: other })
  await whole.jobs.add([newJob()])
  await whole.start()
  await assert.rejects(createRedisBackend({ redis: other, tags: 'queue' }).start(), (error) =>
    hasCode(error, 'E_JOBS_TAGS'),
  )
})

it('what a transaction enqueues goes to the queue that it is for, and a flow through several is refused at once', async () => {
  const ground = await createTestSchema({ modules: [tailwaterMigrations] })
  const outbox = createOutbox({ database: ground.database, schema: ground.schema })
  const { redis } = await connect()
  const backend = createRedisBackend({ redis, tags: 'queue', outbox })
  await outbox.start()
  await backend.start()
  const wide = newJob({ queue: 'mail', children: [newJob({ queue: 'sms' })] })
  const refused = ground.database.transaction((tx) => backend.jobs.add([wide], tx))
  await assert.rejects(refused, (error) => hasCode(error, 'E_JOB_FLOW'))
  const jobs = [newJob({ queue: 'mail' }), newJob({ queue: 'sms' })]
  await ground.database.transaction((tx) => backend.jobs.add(jobs, tx))
  for (const { id, queue } of jobs) {
    let found = await backend.inspect.get(id)
    while (!found) found = await backend.inspect.get(id)
    assert.equal(found.queue, queue)
  }
  await outbox.stop()
  await ground.close()
})

it('a schedule moves with its queue, and fires once', async () => {
  const { backend, prefix } = await connect()
  const { schedules } = backend
  const definition = (queue: string) => JSON.stringify({ job: { queue } })
  await schedules.put({ name: 'pulse', definition: definition('mail'), nextAt: 1_000 })
  await schedules.put({ name: 'pulse', definition: definition('sms'), nextAt: 1_000 })
  assert.equal((await schedules.list()).length, 1)
  const other = await connect(prefix)
  const jobs = [newJob({ queue: 'sms' })]
  const fired = await Promise.all(
    [schedules, other.backend.schedules].map((one) => one.fire('pulse', 1_000, undefined, jobs)),
  )
  assert.deepEqual(fired.toSorted(), [false, true])
  assert.equal((await backend.inspect.counts('sms')).available, 1)
})
