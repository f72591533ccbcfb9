import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import {
  type Cancel,
  databaseQuery,
  hasCode,
  type JobAttemptEvent,
  type JobContext,
  jobAttempt,
  listen,
  runInContext,
} from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { createSmallJobs as createJobs, type SmallJobs as Jobs, jobsMigrations } from '@tailwater/jobs'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime, type TestSchema } from '@tailwater/postgres/testing'
import type { JobsOptions } from '../../src/small/options.ts'

let ground: TestSchema
before(async () => {
  ground = await createTestSchema({ modules: [tailwaterMigrations, jobsMigrations] })
})
after(() => ground.close())

const open: Jobs[] = []
after(() => Promise.all(open.map((jobs) => jobs.stop())))

/** An engine whose clock never moves by itself: it claims when it is woken or its clock is advanced. */
function engine(options: Partial<JobsOptions> = {}): Jobs & { clock: FakeClock } {
  const clock = new FakeClock()
  const jobs = createJobs({ database: ground.database, schema: ground.schema, clock, ...options })
  open.push(jobs)
  return { ...jobs, clock }
}

/** Resolves with the attempt of that kind that comes next. */
function nextAttempt(kind: string): Promise<JobAttemptEvent> {
  return new Promise((resolve) => {
    const end: Cancel = listen(jobAttempt, (event) => {
      if (event.kind !== kind) return
      end()
      resolve(event)
    })
  })
}

const stateOf = async (id: string) =>
  (await ground.database.query<{ state: string }>(`SELECT state FROM ${ground.schema}.jobs WHERE id = $1`, [id]))
    .rows[0]?.state

it('a job enqueued in a transaction runs after its commit, within the request that enqueued it', async () => {
  const jobs = engine()
  const seen = Promise.withResolvers<JobContext<{ orderId: number }>>()
  const kind = jobs.define<{ orderId: number }>({ kind: 'commit', run: async (context) => seen.resolve(context) })
  await jobs.start()
  const attempt = nextAttempt('commit')
  const id = await runInContext({ requestId: 'request-7' }, () =>
    ground.database.transaction(async (tx) => kind.enqueue({ orderId: 7 }, { tx })),
  )
  assert.deepEqual((await seen.promise).payload, { orderId: 7 })
  const event = await attempt
  assert.deepEqual([event.jobId, event.requestId, event.outcome, event.attempt], [id, 'request-7', 'completed', 1])
  assert.equal(await stateOf(id), 'completed')
})

it('a job of a rolled-back transaction does not exist', async () => {
  const jobs = engine()
  const kind = jobs.define({ kind: 'rollback', run: async () => {} })
  let id = ''
  const failed = ground.database.transaction(async (tx) => {
    id = await kind.enqueue({}, { tx })
    throw new Error('no')
  })
  await assert.rejects(failed, /no/)
  assert.equal(await stateOf(id), undefined)
})

it('a failed job is tried again after its backoff, and is dead after its last attempt', async () => {
  const jobs = engine({ maxAttempts: 2 })
  const kind = jobs.define({
    kind: 'failing',
    run: async () => {
      throw new Error('out of order')
    },
  })
  await jobs.start()
  let attempt = nextAttempt('failing')
  const id = await kind.enqueue({})
  assert.equal((await attempt).outcome, 'retryable')
  assert.equal(await stateOf(id), 'retryable')
  attempt = nextAttempt('failing')
  await passTestTime(ground.database, ground.schema, 2_000)
  await jobs.clock.advance(1_000)
  const last = await attempt
  assert.deepEqual([last.outcome, last.attempt, last.error?.message], ['dead', 2, 'out of order'])
  assert.equal((await jobs.counts()).dead, 1)
})

it('a job whose worker died runs again when its lease has ended, and what the dead one reports is refused', async () => {
  const gate = Promise.withResolvers<void>()
  const frozen = engine({ owner: 'frozen', lease: '5s' })
  const started = Promise.withResolvers<void>()
  const kind = frozen.define({
    kind: 'rescued',
    run() {
      started.resolve()
      return gate.promise
    },
  })
  await frozen.start()
  const id = await kind.enqueue({})
  await started.promise

  const healthy = engine({ owner: 'healthy', lease: '5s' })
  healthy.define({ kind: 'rescued', run: async () => {} })
  await passTestTime(ground.database, ground.schema, 5_001)
  const attempt = nextAttempt('rescued')
  await healthy.start()
  const second = await attempt
  assert.deepEqual([second.jobId, second.attempt, second.outcome], [id, 2, 'completed'])
  gate.resolve()
  await frozen.stop()
  const { rows } = await ground.database.query(
    `SELECT owner, attempt, state FROM ${ground.schema}.jobs WHERE id = $1`,
    [id],
  )
  assert.deepEqual(rows[0], { owner: 'healthy', attempt: 2, state: 'completed' })
})

it('a job unfinished at the deadline of a stop is given back without counting the attempt', async () => {
  const jobs = engine({ owner: 'stopping' })
  const started = Promise.withResolvers<AbortSignal>()
  const kind = jobs.define({
    kind: 'slow',
    run: ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        started.resolve(signal)
      }),
  })
  await jobs.start()
  const id = await kind.enqueue({})
  const signal = await started.promise
  const stopped = jobs.stop(jobs.clock.elapsed())
  await jobs.clock.advance(1)
  await stopped
  assert.equal(signal.aborted, true)
  const { rows } = await ground.database.query(`SELECT attempt, state FROM ${ground.schema}.jobs WHERE id = $1`, [id])
  assert.deepEqual(rows[0], { attempt: 0, state: 'available' })
})

/** Starts one handler that runs until the gate opens; what it saw, and how often it ran. */
async function longJob(kindName: string, options: Partial<JobsOptions> = {}) {
  const jobs = engine({ owner: kindName, lease: '9s', ...options })
  const gate = Promise.withResolvers<void>()
  const started = Promise.withResolvers<AbortSignal>()
  const counted = { runs: 0 }
  const kind = jobs.define({
    kind: kindName,
    run({ signal }) {
      counted.runs++
      started.resolve(signal)
      return gate.promise
    },
  })
  await jobs.start()
  const id = await kind.enqueue({})
  return { jobs, gate, kind, id, counted, signal: await started.promise }
}

/** Resolves when the statement of that name has ended. */
function nextStatement(name: string): Promise<void> {
  return new Promise((resolve) => {
    const end: Cancel = listen(databaseQuery, (event) => {
      if (event.name !== name) return
      end()
      resolve()
    })
  })
}

it('a lease is renewed while a stop waits for the job to end', async () => {
  const { jobs, gate, id } = await longJob('drained')
  const stopped = jobs.stop()
  for (let passed = 0; passed < 30_000; passed += 3_000) {
    await passTestTime(ground.database, ground.schema, 3_000)
    const renewed = nextStatement('jobs_renew')
    await jobs.clock.advance(3_000)
    await renewed
  }
  const other = engine({ owner: 'other' })
  other.define({ kind: 'drained', run: async () => {} })
  const claimed = nextStatement('jobs_claim')
  await other.start()
  await claimed
  gate.resolve()
  await stopped
  const { rows } = await ground.database.query(
    `SELECT owner, attempt, state FROM ${ground.schema}.jobs WHERE id = $1`,
    [id],
  )
  assert.deepEqual(rows[0], { owner: 'drained', attempt: 1, state: 'completed' })
  assert.equal(jobs.clock.pending, 0)
})

it('a worker whose lease ran out while its job still runs does not run it a second time beside the first', async () => {
  const { jobs, gate, id, kind, counted } = await longJob('outlasting')
  await passTestTime(ground.database, ground.schema, 9_001)
  const next = nextAttempt('outlasting')
  const claimed = nextStatement('jobs_claim')
  const second = await kind.enqueue({})
  await claimed
  gate.resolve()
  await next
  await jobs.stop()
  assert.equal(counted.runs, 2)
  assert.deepEqual([await stateOf(id), await stateOf(second)], ['completed', 'completed'])
})

it('a job that kills its worker on its last attempt is dead, and an event says so', async () => {
  const { jobs, gate, id } = await longJob('killer', { maxAttempts: 1 })
  const healthy = engine({ owner: 'survivor' })
  healthy.define({ kind: 'killer', run: async () => {} })
  await passTestTime(ground.database, ground.schema, 9_001)
  const attempt = nextAttempt('killer')
  await healthy.start()
  const event = await attempt
  assert.deepEqual([event.jobId, event.outcome, event.attempt], [id, 'dead', 1])
  assert.match(event.error?.message ?? '', /worker died/)
  gate.resolve()
  await jobs.stop()
  assert.equal(await stateOf(id), 'dead')
})

it('a handler that throws before its first await fails like any other', async () => {
  const jobs = engine({ maxAttempts: 1 })
  const kind = jobs.define({
    kind: 'hasty',
    run() {
      throw new Error('at once')
    },
  })
  await jobs.start()
  const attempt = nextAttempt('hasty')
  await kind.enqueue({})
  assert.deepEqual([(await attempt).outcome, (await attempt).error?.message], ['dead', 'at once'])
})

it('what the worker asks for itself is not put down to the request that woke it; what it does for a job is', async () => {
  const jobs = engine({ owner: 'detached' })
  const kind = jobs.define({ kind: 'detached', run: async () => {} })
  await jobs.start()
  const seen = new Map<string, Set<string | undefined>>()
  const end = listen(databaseQuery, ({ name = '', requestId }) => {
    seen.set(name, (seen.get(name) ?? new Set()).add(requestId))
  })
  const attempt = nextAttempt('detached')
  await runInContext({ requestId: 'request-9' }, () => kind.enqueue({}))
  await attempt
  await jobs.stop()
  end()
  assert.deepEqual(seen.get('jobs_claim'), new Set([undefined]))
  assert.deepEqual(seen.get('jobs_complete'), new Set(['request-9']))
})

it('a stop past its deadline does not wait for a database that has gone silent', async () => {
  const silent = Promise.withResolvers<void>()
  let isSilent = false
  const database = new Proxy(ground.database, {
    get(target, name) {
      const member = target[name as keyof typeof target]
      if (typeof member !== 'function') return member
      return (...given: never[]) =>
        isSilent
          ? silent.promise.then(() => (member as (...all: never[]) => unknown).apply(target, given))
          : (member as (...all: never[]) => unknown).apply(target, given)
    },
  })
  const { jobs, gate, signal } = await longJob('cut-off', { database })
  isSilent = true
  const stopped = jobs.stop(jobs.clock.elapsed() + 5_000)
  await jobs.clock.advance(5_000)
  assert.equal(signal.aborted, true)
  await jobs.clock.advance(1_000)
  await stopped
  assert.equal(jobs.clock.pending, 0)
  isSilent = false
  silent.resolve()
  gate.resolve()
})

it('counts jobs by state, without reading those that are completed', async () => {
  const { rows } = await ground.database.query<{ name: string }>(
    `SELECT indexname AS name FROM pg_indexes WHERE schemaname = $1 AND tablename = 'jobs' ORDER BY 1`,
    [ground.schema],
  )
  assert.deepEqual(
    rows.map(({ name }) => name),
    ['jobs_dead', 'jobs_due', 'jobs_finished', 'jobs_leased', 'jobs_pkey'],
  )
  const before = await engine().counts()
  await engine()
    .define({ kind: 'counted', run: async () => {} })
    .enqueue({})
  assert.deepEqual(await engine().counts(), { ...before, available: before.available + 1 })
})

it('two workers never run one job twice', async () => {
  const runs = new Map<string, number>()
  const finished = Promise.withResolvers<void>()
  const workers = ['a', 'b'].map((owner) => {
    const jobs = engine({ owner })
    const kind = jobs.define({
      kind: 'shared',
      run: async ({ jobId }) => {
        runs.set(jobId, (runs.get(jobId) ?? 0) + 1)
        if (runs.size === 200) finished.resolve()
      },
    })
    return { jobs, kind }
  })
  await Promise.all(Array.from({ length: 200 }, () => workers[0]!.kind.enqueue({})))
  await Promise.all(workers.map(({ jobs }) => jobs.start()))
  await finished.promise
  await Promise.all(workers.map(({ jobs }) => jobs.stop()))
  assert.deepEqual(new Set(runs.values()), new Set([1]))
})

it('refuses a payload that is not JSON, and a kind that is misnamed or defined twice', async () => {
  const jobs = engine()
  const kind = jobs.define<unknown>({ kind: 'strict', run: async () => {} })
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  for (const payload of [cycle, undefined, 1n])
    await assert.rejects(kind.enqueue(payload), (error) => hasCode(error, 'E_JOB_PAYLOAD'))
  assert.throws(
    () => jobs.define({ kind: 'strict', run: async () => {} }),
    (error) => hasCode(error, 'E_JOB_KIND'),
  )
  assert.throws(
    () => jobs.define({ kind: 'without-run' } as never),
    (error) => hasCode(error, 'E_JOB_KIND'),
  )
  assert.throws(
    () => jobs.define({ kind: 'Not a kind', run: async () => {} }),
    (error) => hasCode(error, 'E_JOB_KIND'),
  )
})

it('starts and stops in any order', async () => {
  const jobs = engine()
  jobs.define({ kind: 'stressed', run: async () => {} })
  await stressLifecycle(jobs)
})
