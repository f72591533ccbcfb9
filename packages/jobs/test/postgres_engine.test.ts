import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { type Cancel, currentContext, databaseQuery, hasCode, listen, runInContext } from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { createJobs, createMemoryBackend, type Jobs, type JobsOptions, jobsMigrations } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { assertEnqueued } from '@tailwater/jobs/testing'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime, type TestSchema } from '@tailwater/postgres/testing'
import { nextAttempt } from './testing/engine.ts'

let ground: TestSchema
before(async () => {
  ground = await createTestSchema({ modules: [tailwaterMigrations, jobsMigrations] })
})
const open: Jobs[] = []
after(async () => {
  for (const jobs of open) await jobs.stop(0)
  await ground.close()
})

function engine(options: Partial<JobsOptions> = {}): Jobs {
  const jobs = createJobs({ database: ground.database, schema: ground.schema, pollInterval: 100, ...options })
  open.push(jobs)
  return jobs
}

it('a job of a rolled-back transaction does not exist, one of a committed one runs at once', async () => {
  const jobs = engine({ pollInterval: '1h' })
  const kind = jobs.define<number>({ kind: 'bound', run: () => 0 })
  await jobs.start()
  const failed = ground.database.transaction(async (tx) => {
    await kind.enqueue(1, { tx })
    throw new Error('no')
  })
  await assert.rejects(failed, /no/)
  await assertEnqueued(jobs, { kind: 'bound', count: 0 })
  const attempt = nextAttempt('bound')
  const id = await ground.database.transaction((tx) => kind.enqueue(2, { tx }))
  assert.equal((await attempt).jobId, id)
  await jobs.stop()
})

it('many jobs, and a flow, are stored in one transaction or not at all', async () => {
  const jobs = engine({ concurrency: 0 })
  const kind = jobs.define<number>({ kind: 'together', run: () => 0 })
  const failed = ground.database.transaction(async (tx) => {
    await kind.enqueueMany([1, 2, 3], { tx })
    await jobs.flow({ job: kind.job(0), children: [kind.job(1)] }, { tx })
    throw new Error('no')
  })
  await assert.rejects(failed, /no/)
  await assertEnqueued(jobs, { kind: 'together', count: 0 })
  await ground.database.transaction((tx) => kind.enqueueMany([1, 2, 3], { tx }))
  await assertEnqueued(jobs, { kind: 'together', count: 3 })
})

it('what the worker asks for itself is not put down to the request that woke it; what a handler asks is', async () => {
  const jobs = engine()
  const seen: (string | undefined)[] = []
  const kind = jobs.define<number>({ kind: 'detached', run: () => void seen.push(currentContext()?.requestId) })
  await jobs.start()
  const turns = new Set<string | undefined>()
  const end: Cancel = listen(databaseQuery, ({ text, requestId }) => {
    if (/jobs_turn/.test(text)) turns.add(requestId)
  })
  const attempt = nextAttempt('detached')
  await runInContext({ requestId: 'request-9' }, () => kind.enqueue(1))
  await attempt
  await jobs.stop()
  end()
  assert.deepEqual([[...turns], seen], [[undefined], ['request-9']])
})

it('two engines share the work, and none runs a job of the other', async () => {
  const runs = new Map<string, number>()
  const engines = ['a', 'b'].map((owner) => {
    const jobs = engine({ owner, queues: { shared: { concurrency: 8 } } })
    const kind = jobs.define<number>({
      kind: 'shared',
      queue: 'shared',
      async run({ jobId }) {
        runs.set(jobId, (runs.get(jobId) ?? 0) + 1)
        await new Promise((resolve) => setImmediate(resolve))
      },
    })
    return { jobs, kind }
  })
  const stored = await engines[0]!.kind.enqueueMany(Array.from({ length: 300 }, (_, n) => n))
  const left = new Set(stored.map(({ id }) => id))
  const done = nextAttempt(({ jobId }) => left.delete(jobId) && left.size === 0)
  await Promise.all(engines.map(({ jobs }) => jobs.start()))
  await done
  await Promise.all(engines.map(({ jobs }) => jobs.stop()))
  assert.deepEqual([runs.size, Math.max(...runs.values())], [300, 1])
  assert.equal((await engines[0]!.jobs.counts('shared')).completed, 300)
})

it('a stop past its deadline does not wait for a database that has gone silent', async () => {
  const silent = Promise.withResolvers<void>()
  let isSilent = false
  const database = new Proxy(ground.database, {
    get(target, name) {
      const member = target[name as keyof typeof target]
      if (typeof member !== 'function') return member
      return (...given: never[]) => {
        const call = () => (member as (...all: never[]) => unknown).apply(target, given)
        return isSilent ? silent.promise.then(call) : call()
      }
    },
  })
  const clock = new FakeClock()
  const jobs = engine({ database, clock, owner: 'silenced' })
  const begun = Promise.withResolvers<AbortSignal>()
  const kind = jobs.define<number>({
    kind: 'cut-off',
    run({ signal }) {
      begun.resolve(signal)
      return new Promise(() => {})
    },
  })
  await jobs.start()
  await kind.enqueue(1)
  const signal = await begun.promise
  isSilent = true
  const stopped = jobs.stop(clock.elapsed() + 5_000)
  await clock.advance(5_000)
  assert.ok(hasCode(signal.reason, 'E_JOB_STOPPING'))
  await clock.advance(1_000)
  await stopped
  isSilent = false
  silent.resolve()
})

it('a dead worker is replaced when its lease has ended by the time of the database', async () => {
  const heir = engine({ owner: 'heir' })
  const kind = heir.define<number>({ kind: 'inherited', run: () => 'done' })
  const id = await kind.enqueue(1)
  const { work } = createPostgresBackend({ database: ground.database, schema: ground.schema })
  const { claimed } = await work.turn({
    worker: 'gone',
    lease: 30_000,
    ends: [],
    wants: [{ queue: 'default', count: 100 }],
  })
  assert.ok(claimed.some((job) => job.id === id))
  await passTestTime(ground.database, ground.schema, 30_001)
  const attempt = nextAttempt(({ jobId, outcome }) => jobId === id && outcome === 'completed')
  await heir.start()
  assert.equal((await attempt).attempt, 2)
})

it('starts and stops in any order', async () => {
  await stressLifecycle(engine())
})

it('a backend and a database together are refused, and without either jobs are kept in memory', async () => {
  assert.throws(
    () => engine({ backend: createMemoryBackend() }),
    (error) => hasCode(error, 'E_OPTIONS'),
  )
  const jobs = createJobs()
  await jobs.define<number>({ kind: 'brief', run: () => 0 }).enqueue(1)
  assert.equal((await jobs.counts()).available, 1)
})

it('an error with characters that the server refuses, or a wait beyond its calendar, keeps no other end from being told', async () => {
  // A queue of its own: other engines of this file, which do not know the kind, would put its jobs off.
  const jobs = engine({ queues: { awkward: {} } })
  const kind = jobs.define<string>({
    kind: 'awkward',
    queue: 'awkward',
    attempts: 1,
    run({ payload, snooze }) {
      if (payload === 'nul') throw new Error('a\0b\ud800')
      if (payload === 'snooze') return snooze(Number.MAX_VALUE)
      return payload
    },
  })
  await jobs.start()
  const ended = ['nul', 'well'].map((payload) =>
    nextAttempt(({ outcome }) => outcome === (payload === 'nul' ? 'dead' : 'completed')),
  )
  const [nul, snoozed] = [await kind.enqueue('nul'), await kind.enqueue('snooze')]
  await kind.enqueue('well')
  await Promise.all(ended)
  assert.match((await jobs.inspect.get(nul))?.error ?? '', /^Error: ab\ufffd/)
  assert.equal((await jobs.inspect.get(snoozed))?.state, 'scheduled')
  await jobs.stop()
})

it('no function of the jobs has its plans compiled, however dear the planner thinks them', async () => {
  const { rows } = await ground.database.query<{ name: string; settings: string }>(
    `SELECT proname AS name, proconfig::text AS settings FROM pg_catalog.pg_proc
     WHERE pronamespace = $1::regnamespace AND proname LIKE 'jobs\\_%' AND proconfig::text LIKE '%enable_seqscan=off%'`,
    [ground.schema],
  )
  assert.ok(rows.length > 15)
  assert.deepEqual(
    rows.filter(({ settings }) => !settings.includes('jit=off')),
    [],
  )
})
