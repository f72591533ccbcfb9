import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, afterEach, before, beforeEach, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { jobEnqueued, listen, newId, startAll, stopAll } from '@tailwater/core'
import { stressLifecycle } from '@tailwater/core/testing'
import { createJobs, type Job, type Jobs, type NewJob } from '@tailwater/jobs'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createOutbox, type Outbox, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime, type TestSchema } from '@tailwater/postgres/testing'
import { createRedis, type Redis } from '@tailwater/redis'
import { startRedis, type TestRedis } from '@tailwater/redis/testing'
import pg from 'pg'
import { nextAttempt } from '../../testing/engine.ts'
import { newJob } from '../postgres/ground.ts'

let server: TestRedis
let ground: TestSchema
let prefixes = 0
before(async () => {
  server = await startRedis({ persist: true })
})
beforeEach(async () => {
  ground = await createTestSchema({ modules: [tailwaterMigrations] })
})
const open: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close()
  await ground.close()
})
after(() => server.stop())

/** What one process has. */
interface Process {
  redis: Redis
  outbox: Outbox
  jobs: Jobs
  backend: ReturnType<typeof createRedisBackend>
}

/** A process with its connections open and its engine not started; a second one of the same prefix shares the jobs. */
async function openProcess(prefix = `outbox-${++prefixes}`, concurrency = 1): Promise<Process> {
  const redis = createRedis({ url: server.url, prefix })
  const outbox = createOutbox({ database: ground.database, schema: ground.schema, leaseTtl: '1s', maxBackoff: '200ms' })
  const backend = createRedisBackend({ redis, outbox })
  const jobs = createJobs({ backend, pollInterval: '1h', concurrency, queues: { idle: { concurrency: 0 } } })
  await startAll([redis, outbox])
  open.push(async () => {
    await jobs.stop(0)
    await stopAll([redis, outbox])
  })
  return { redis, outbox, jobs, backend }
}

/** Resolves when Redis has a job. */
async function arrived({ backend }: Pick<Process, 'backend'>, id: string): Promise<Job> {
  for (;;) {
    const job = await backend.inspect.get(id)
    if (job) return job
  }
}

it('a job of a rolled-back transaction never exists, one of a committed one runs', async () => {
  const { jobs } = await openProcess()
  const kind = jobs.define<number>({ kind: 'bound', run: ({ payload }) => payload })
  await jobs.start()
  let undone = ''
  const failed = ground.database.transaction(async (tx) => {
    undone = await kind.enqueue(1, { tx })
    throw new Error('no')
  })
  await assert.rejects(failed, /no/)
  const attempt = nextAttempt('bound')
  const id = await ground.database.transaction((tx) => kind.enqueue(2, { tx }))
  assert.equal((await attempt).jobId, id)
  assert.equal(await jobs.inspect.get(undone), undefined)
})

it('what becomes of a job in a transaction is told as deferred, and its enqueueing as an event', async () => {
  const { jobs } = await openProcess()
  jobs.define<number>({ kind: 'told', queue: 'idle', run: () => {} })
  const heard: string[] = []
  const end = listen(jobEnqueued, ({ jobId }) => void heard.push(jobId))
  const [first, second] = await ground.database.transaction((tx) =>
    jobs.enqueueMany(
      [
        { kind: 'told', payload: 1 },
        { kind: 'told', payload: 2 },
      ],
      { tx },
    ),
  )
  end()
  assert.deepEqual([first?.outcome, second?.outcome, heard], ['deferred', 'deferred', [first?.id, second?.id]])
})

it('jobs begin in the order in which their transactions were committed', async () => {
  const { jobs } = await openProcess()
  const seen: number[] = []
  const kind = jobs.define<number>({ kind: 'in-turn', run: ({ payload }) => void seen.push(payload) })
  for (let n = 0; n < 40; n += 2) await ground.database.transaction((tx) => kind.enqueueMany([n, n + 1], { tx }))
  const last = nextAttempt(() => seen.length === 40)
  await jobs.start()
  await last
  assert.deepEqual(
    seen,
    Array.from({ length: 40 }, (_, n) => n),
  )
})

it('a job comes to Redis as it was enqueued: all that it can have, and what is below it', async () => {
  const process = await openProcess()
  const { backend } = process
  const full: NewJob = newJob({
    payload: '{"text":"\\"quoted\\" \\u0000 ☃"}',
    priority: 7,
    runAt: Date.parse('2040-01-01T00:00:00Z'),
    key: 'a "key"',
    tags: ['one, two'],
    timeout: 5_000,
    maxAttempts: 3,
    requestId: 'request-1',
    traceparent: '00-1-2-01',
    unique: { key: 'once', ttl: 60_000 },
  })
  const flow = newJob({ children: [newJob({ payload: '1' }), newJob({ payload: '2' })], onChildFailure: 'ignore' })
  await backend.start()
  await ground.database.transaction((tx) => backend.jobs.add([full, flow], tx))
  const job = await arrived(process, full.id)
  for (const name of [
    'payload',
    'priority',
    'runAt',
    'key',
    'tags',
    'timeout',
    'maxAttempts',
    'requestId',
    'traceparent',
  ] as const)
    assert.deepEqual(job[name], full[name], name)
  const parent = await arrived(process, flow.id)
  assert.deepEqual([parent.state, parent.pendingChildren], ['pending', 2])
  await backend.stop()
})

it('a transaction of another library is relayed as well, without telling anybody of its commit', async () => {
  const process = await openProcess()
  const { jobs } = process
  const kind = jobs.define<number>({ kind: 'foreign', queue: 'idle', run: () => {} })
  await jobs.start()
  const client = new pg.Client({ connectionString: ground.url })
  await client.connect()
  open.push(() => client.end())
  await client.query('BEGIN')
  const id = await kind.enqueue(1, { tx: client })
  await client.query('COMMIT')
  assert.equal((await arrived(process, id)).kind, 'foreign')
})

it('a delay counts from the transaction, however late the relay comes round', async () => {
  const process = await openProcess()
  const { backend, jobs } = process
  const kind = jobs.define<number>({ kind: 'later', run: () => {} })
  const id = await ground.database.transaction((tx) => kind.enqueue(1, { tx, delay: '1h' }))
  const { rows } = await ground.database.query<{ at: number }>(
    `SELECT (extract(epoch FROM appended_at) * 1000)::float8 AS at FROM ${ground.schema}.outbox`,
  )
  await passTestTime(ground.database, ground.schema, 600_000)
  await backend.start()
  const job = await arrived(process, id)
  assert.equal(job.state, 'scheduled')
  assert.ok(Math.abs(job.runAt - (rows[0]!.at + 3_600_000)) < 2, `${job.runAt} after ${rows[0]!.at}`)
  await backend.stop()
})

it('of two jobs of one unique key the first to be committed stands', async () => {
  const process = await openProcess()
  const { jobs } = process
  const kind = jobs.define<number>({
    kind: 'single',
    queue: 'idle',
    unique: { by: 'kind', for: 'until-done' },
    run: () => {},
  })
  await jobs.start()
  const enqueue = (n: number) => ground.database.transaction((tx) => kind.enqueue(n, { tx }))
  const [first, second] = [await enqueue(1), await enqueue(2)]
  const marker = jobs.define<number>({ kind: 'marker', queue: 'idle', run: () => {} })
  await arrived(process, await ground.database.transaction((tx) => marker.enqueue(0, { tx })))
  assert.equal((await jobs.inspect.get(first))?.payload, 1)
  assert.equal(await jobs.inspect.get(second), undefined)
})

it('transactions commit while Redis is away, and their jobs come in order when it is back', async () => {
  const process = await openProcess()
  const { jobs } = process
  const kind = jobs.define<number>({ kind: 'patient', queue: 'idle', run: () => {} })
  await jobs.start()
  await server.kill()
  const ids: string[] = []
  for (let n = 0; n < 5; n++) ids.push(await ground.database.transaction((tx) => kind.enqueue(n, { tx })))
  await server.restart()
  while (!process.redis.isReady) await new Promise((resolve) => setImmediate(resolve))
  await arrived(process, ids.at(-1)!)
  const { jobs: stored } = await jobs.inspect.list({ queue: 'idle' })
  assert.deepEqual(
    stored.map(({ payload }) => payload),
    [4, 3, 2, 1, 0],
  )
})

it('a relay that is killed between storing and noting it makes no job twice', async () => {
  const prefix = `outbox-${++prefixes}`
  const program = fileURLToPath(new URL('outbox_relay_program.ts', import.meta.url))
  const relay = spawn(
    process.execPath,
    [
      '--conditions=@tailwater/source',
      '--disable-warning=ExperimentalWarning',
      program,
      ground.url,
      ground.schema,
      server.url,
      prefix,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  open.push(async () => void relay.kill('SIGKILL'))
  const lines = relay.stdout.setEncoding('utf8')
  assert.match(String((await once(lines, 'data'))[0]), /started/)
  const heir = await openProcess(prefix, 4)
  const runs = new Map<number, number>()
  const kind = heir.jobs.define<number>({
    kind: 'counted',
    run: ({ payload }) => void runs.set(payload, (runs.get(payload) ?? 0) + 1),
  })
  const payloads = Array.from({ length: 20 }, (_, n) => n)
  const stored = await ground.database.transaction((tx) => kind.enqueueMany(payloads, { tx }))
  assert.match(String((await once(lines, 'data'))[0]), /relayed/)
  relay.kill('SIGKILL')
  await once(relay, 'exit')
  const { rows } = await ground.database.query(`SELECT FROM ${ground.schema}.outbox_consumers WHERE position > 0`)
  assert.equal(rows.length, 0, 'the dead relay had noted what it did')
  // What follows the others in the outbox is there once they have been relayed again.
  const marker = heir.jobs.define<number>({ kind: 'marker', run: () => {} })
  const ended = nextAttempt('marker')
  await heir.jobs.start()
  await ground.database.transaction((tx) => marker.enqueue(0, { tx }))
  await ended
  const counts = await heir.jobs.counts()
  assert.deepEqual([counts.completed, counts.available, counts.running], [stored.length + 1, 0, 0])
  assert.deepEqual(
    [...runs.values()],
    payloads.map(() => 1),
  )
})

it('one process relays at a time, and a stopped engine leaves nothing lying', async () => {
  const first = await openProcess()
  const prefix = `outbox-${prefixes}`
  const second = await openProcess(prefix)
  for (const { jobs } of [first, second]) {
    jobs.define<number>({ kind: 'shared', queue: 'idle', run: () => {} })
    await jobs.start()
  }
  const tell = (payload: number) =>
    ground.database.transaction((tx) => first.jobs.enqueue({ kind: 'shared', payload }, { tx }))
  await arrived(second, (await tell(1)).id)
  await first.jobs.stop()
  await arrived(second, (await tell(2)).id)
  const consumers = await second.outbox.consumers()
  assert.deepEqual(
    consumers.map(({ name, failures }) => [name, failures]),
    [[`jobs-enqueue:${second.redis.keyspace('jobs')()}`, 0]],
  )
})

it("a schedule's job runs in Redis, and what its handler enqueues in a transaction does too", async () => {
  const { jobs } = await openProcess()
  const follower = jobs.define<number>({ kind: 'follower', run: () => 'done' })
  jobs.define<null>({
    kind: 'planned',
    run: () => ground.database.transaction((tx) => follower.enqueue(1, { tx })),
  })
  const followed = nextAttempt('follower')
  await jobs.schedule('launch', { once: new Date(1_000), kind: 'planned', payload: null, missed: 'once' })
  await jobs.start()
  assert.equal((await followed).outcome, 'completed')
})

it('what a newer release has written waits for a process that can read it', async () => {
  const process = await openProcess()
  const { backend, outbox, redis, jobs } = process
  const topic = `jobs-enqueue:${redis.keyspace('jobs')()}`
  jobs.define<number>({ kind: 'newer', queue: 'idle', run: () => {} })
  await ground.database.transaction((tx) => outbox.append(tx, topic, { form: 2, job: { id: newId() } }))
  await backend.start()
  for (;;) {
    const [status] = await outbox.consumers()
    if (!status?.lastError) continue
    assert.match(status.lastError, /form 2/)
    break
  }
  await backend.stop()
})

it('starts and stops in any order', async () => {
  const { backend } = await openProcess()
  await stressLifecycle(backend)
})
