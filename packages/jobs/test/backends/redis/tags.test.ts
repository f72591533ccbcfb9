import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { createJobs, type JobsBackend, type NewJob } from '@tailwater/jobs'
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
  await takeTurn(backend, 'a', { wants: [{ queue: 'sms', count: 1 }] })
  await takeTurn(backend, 'a', { ends: [{ id: dead[0]!.id, attempt: 1, outcome: 'completed', result: undefined }] })
  assert.equal(await backend.maintain.redrive({ states: ['completed'] }, 10, 'mail'), 0)
  assert.equal(await backend.maintain.edit(dead[0]!.id, { queue: 'mail' }), false)
  const [second] = (await backend.inspect.list({ tag: 't' }, { limit: 10 })).jobs
  assert.deepEqual([second?.queue, second?.payload], ['sms', '{"n":2}'])
})

it('a flow goes through queues on several nodes, and a parent gets the results of children that were elsewhere', async () => {
  const { backend } = await connect()
  const jobs = createJobs({ backend, queues: { mail: {}, sms: {}, documents: {} } })
  const seen: string[] = []
  const [first, second, third] = ['mail', 'sms', 'documents'].map((queue) =>
    jobs.define<string>({
      kind: `of-${queue}`,
      queue,
      async run({ payload, children }) {
        seen.push(payload)
        return [payload, ...(await children()).map(({ result }) => result)]
      },
    }),
  )
  await jobs.start()
  const done = nextAttempt(({ kind, outcome }) => kind === 'of-mail' && outcome === 'completed')
  const { id } = await jobs.flow({
    job: first!.job('top'),
    children: [{ job: second!.job('middle'), children: [third!.job('one'), third!.job('two')] }, third!.job('three')],
  })
  assert.equal((await done).jobId, id)
  assert.deepEqual(
    [seen.at(-1), seen.indexOf('middle') > Math.max(seen.indexOf('one'), seen.indexOf('two'))],
    ['top', true],
  )
  const [, ...results] = (await jobs.inspect.get(id))!.result as [string, ...unknown[]]
  assert.deepEqual(results.map(String).toSorted(), ['middle,one,two', 'three'].toSorted())
  const counts = await jobs.counts()
  assert.deepEqual([counts.completed, counts.running, counts.pending], [5, 0, 0])
  assert.ok((await jobs.inspect.queues()).every((queue) => !queue.includes('~')))
  await jobs.stop()
})

/** A parent in `mail` with a child in `sms`. */
async function family(backend: JobsBackend, said: Partial<NewJob> = {}) {
  const child = newJob({ queue: 'sms', maxAttempts: 1, key: 'person' })
  const parent = newJob({ queue: 'mail', children: [child], ...said })
  await backend.jobs.add([parent])
  return { parent: parent.id, child: child.id }
}

const stateOf = async ({ inspect }: JobsBackend, id: string) => (await inspect.get(id))?.state

it("a child in another queue knows its parent, and its failure is its parent's", async () => {
  const { backend } = await connect()
  const { parent, child } = await family(backend)
  assert.equal((await backend.inspect.get(child))?.parentId, parent)
  const [listed] = (await backend.inspect.list({ queue: 'sms' }, { limit: 1 })).jobs
  assert.equal(listed?.parentId, parent)
  await takeTurn(backend, 'a', { wants: [{ queue: 'sms', count: 1 }] })
  await takeTurn(backend, 'a', { ends: [{ id: child, attempt: 1, outcome: 'failed', error: 'no', delay: 0 }] })
  assert.deepEqual([await stateOf(backend, child), await stateOf(backend, parent)], ['dead', 'dead'])
  assert.match((await backend.inspect.get(parent))?.error ?? '', /^E_JOB_CHILD/)
})

it('a job that has a family stays in its queue, and one that has ended until it is redriven', async () => {
  const { backend } = await connect()
  const { parent, child } = await family(backend)
  const near = newJob({ queue: 'mail', children: [newJob({ queue: 'mail' })] })
  const dead = newJob({ queue: 'mail', priority: 0 })
  await backend.jobs.add([near, dead])
  await takeTurn(backend, 'a', { wants: [{ queue: 'mail', count: 1 }] })
  await takeTurn(backend, 'a', { ends: [{ id: dead.id, attempt: 1, outcome: 'dead', error: 'no' }] })
  for (const id of [parent, child, near.id, near.children![0]!.id, dead.id])
    assert.equal(await backend.maintain.edit(id, { payload: '{"changed":true}', queue: 'documents' }), false, id)
  assert.equal((await backend.inspect.get(child))?.payload, '{}')
  const before = await backend.inspect.counts()
  assert.equal(await backend.maintain.redrive({ states: ['dead'] }, 10, 'documents'), 1)
  assert.deepEqual(await backend.inspect.counts(), { ...before, dead: 0, available: before.available + 1 })
  const edited = newJob({ queue: 'mail', delay: 60_000 })
  await backend.jobs.add([edited])
  const { runAt } = (await backend.inspect.get(edited.id))!
  assert.equal(await backend.maintain.edit(edited.id, { payload: '{"n":1}', queue: 'sms' }), true)
  const moved = await backend.inspect.get(edited.id)
  assert.deepEqual([moved?.queue, moved?.payload, moved?.state, moved?.runAt], ['sms', '{"n":1}', 'scheduled', runAt])
})

it('cancelling a parent cancels what is below it in other queues, and erasing a key deletes it there and its stand-in', async () => {
  const { backend, redis, prefix } = await connect()
  const { parent, child } = await family(backend)
  assert.equal(await backend.maintain.cancel(parent), true)
  assert.deepEqual([await stateOf(backend, child), await stateOf(backend, parent)], ['cancelled', 'cancelled'])
  const other = await family(backend)
  const { claimed } = await takeTurn(backend, 'a', { wants: [{ queue: 'sms', count: 1 }] })
  assert.equal(claimed[0]?.id, other.child)
  await backend.maintain.cancel(other.parent)
  const { cancelled } = await takeTurn(backend, 'a', { wants: [{ queue: 'sms', count: 0 }] })
  assert.deepEqual(cancelled, [other.child])
  await takeTurn(backend, 'a', { ends: [{ id: other.child, attempt: 1, outcome: 'cancelled', error: 'asked' }] })
  assert.deepEqual(await stateOf(backend, other.child), 'cancelled')
  for (let erased = 1; erased > 0; ) erased = await backend.maintain.erase('person', 10)
  assert.equal(await stateOf(backend, child), undefined)
  for (const queue of ['mail', 'sms'])
    assert.doesNotMatch(String(await redis.command('HVALS', `${prefix}:{jobs.${queue}}:job`)), /person/)
})

for (const [moment, isThen] of Object.entries({
  'before a child is stored in its queue': (root: string, script: string) =>
    root.includes('jobs.sms') && script === 'jobs.add',
  "between a child's end and its parent's": (root: string, script: string, args: string) =>
    root.includes('jobs.mail') && script === 'jobs.turn' && args.includes('~relay') && args.includes('done'),
}))
  it(`a process that dies ${moment} leaves it to the next sweep of another`, async () => {
    const { backend: heir, redis, prefix } = await connect()
    const dying = { ...redis, keyspace: (tag: string) => redis.keyspace(tag) }
    let isDead = false
    dying.run = ((script, keys, args, options) => {
      isDead ||= isThen(String(keys[0]), script.name, JSON.stringify(args))
      return isDead ? Promise.reject(new Error('the process is dead')) : redis.run(script, keys, args, options)
    }) as Redis['run']
    dying.command = ((...given) =>
      isDead ? Promise.reject(new Error('the process is dead')) : redis.command(...given)) as Redis['command']
    const backend = createRedisBackend({ redis: dying, tags: 'queue' })
    const child = newJob({ queue: 'sms' })
    const parent = newJob({ queue: 'mail', children: [child] })
    await backend.jobs.add([parent]).catch(() => {})
    await takeTurn(backend, 'a', { wants: [{ queue: 'sms', count: 1 }] }).catch(() => {})
    const ends = [{ id: child.id, attempt: 1, outcome: 'completed' as const, result: '"done"' }]
    await takeTurn(backend, 'a', { ends }).catch(() => {})
    assert.ok(isDead, prefix)
    await heir.maintain.sweep()
    if ((await stateOf(heir, child.id)) !== 'completed') {
      await takeTurn(heir, 'b', { wants: [{ queue: 'sms', count: 1 }] })
      await takeTurn(heir, 'b', { ends })
    }
    assert.equal(await stateOf(heir, parent.id), 'available')
    const [result] = await heir.inspect.children(parent.id)
    assert.deepEqual([result?.id, result?.queue, result?.result], [child.id, 'sms', '"done"'])
  })

it('what was kept with other tags is refused', async () => {
  const { backend, redis } = await connect()
  await backend.jobs.add([newJob()])
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

it('what a transaction enqueues goes to the queue that it is for', async () => {
  const ground = await createTestSchema({ modules: [tailwaterMigrations] })
  const outbox = createOutbox({ database: ground.database, schema: ground.schema })
  const { redis } = await connect()
  const backend = createRedisBackend({ redis, tags: 'queue', outbox })
  await outbox.start()
  await backend.start()
  const jobs = [newJob({ queue: 'mail', children: [newJob({ queue: 'documents' })] }), newJob({ queue: 'sms' })]
  await ground.database.transaction((tx) => backend.jobs.add(jobs, tx))
  for (const { id, queue } of [...jobs, ...jobs[0]!.children!]) {
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
