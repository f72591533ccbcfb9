// The table of the README: what there is of jobs with which servers, and how what is away is said.
import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { hasCode, listen, notice, startAll, stopAll } from '@tailwater/core'
import { createJobs, type Jobs, type JobsOptions, jobsMigrations } from '@tailwater/jobs'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createOutbox, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createRedis } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'
import { nextAttempt } from './testing/engine.ts'

const ground = await createTestSchema({ modules: [tailwaterMigrations, jobsMigrations] })
const { database, schema } = ground
const server = await startRedis()
const redis = createRedis({ url: server.url })
const outbox = createOutbox({ database, schema })
await startAll([redis, outbox])
after(async () => {
  await stopAll([redis, outbox])
  await server.stop()
  await ground.close()
})

/** What one cell of the table has. */
interface Cell {
  options(): JobsOptions
  /** Whether a job can be enqueued in a transaction. */
  isTransactional: boolean
  /** Whether another process sees the jobs, and they outlive this one. */
  isShared: boolean
}

const cells: Record<string, Cell> = {
  nothing: { options: () => ({}), isTransactional: false, isShared: false },
  'Redis alone': {
    options: () => ({ backend: createRedisBackend({ redis: createAlone() }) }),
    isTransactional: false,
    isShared: true,
  },
  'PostgreSQL alone': { options: () => ({ database, schema }), isTransactional: true, isShared: true },
  'both, with jobs in Redis': {
    options: () => ({ backend: both }),
    isTransactional: true,
    isShared: true,
  },
}
const both = createRedisBackend({ redis, outbox })

/** Keys of its own. */
function createAlone() {
  return { ...redis, keyspace: (tag: string) => redis.keyspace(`alone-${tag}`) }
}

for (const [name, { options, isTransactional, isShared }] of Object.entries(cells)) {
  const kinds = (jobs: Jobs) => ({
    step: jobs.define<number>({ kind: 'step', run: ({ payload }) => payload }),
    whole: jobs.define<null>({ kind: 'whole', run: async (job) => (await job.children()).length }),
    planned: jobs.define<null>({ kind: 'planned', run: () => 'fired' }),
  })

  it(`${name}: a flow and a schedule run to their ends, and only what ends with the process says so`, async () => {
    const said: string[] = []
    const end = listen(notice, ({ source, message }) => void (source === 'jobs' && said.push(message)))
    const jobs = createJobs(options())
    const { step, whole } = kinds(jobs)
    await jobs.start()
    end()
    assert.deepEqual(said, isShared ? [] : ['jobs are kept in memory, and end with this process'])
    const parent = nextAttempt('whole')
    const { id } = await jobs.flow({ job: whole.job(null), children: [step.job(1), step.job(2)] })
    assert.equal((await parent).outcome, 'completed')
    const fired = nextAttempt('planned')
    await jobs.schedule('launch', { once: new Date(1_000), kind: 'planned', payload: null, missed: 'once' })
    assert.equal((await fired).outcome, 'completed')
    await jobs.stop()
    assert.equal((await jobs.inspect.get(id))?.result, 2)
    const other = createJobs(options())
    assert.equal((await other.inspect.get(id)) !== undefined, isShared)
  })

  it(`${name}: a job in a transaction ${isTransactional ? 'runs after the commit' : 'is refused, by its code'}`, async () => {
    const jobs = createJobs({ ...options(), concurrency: 1 })
    const { step } = kinds(jobs)
    await jobs.start()
    const attempt = nextAttempt('step')
    const enqueued = database.transaction((tx) => step.enqueue(7, { tx }))
    if (isTransactional) assert.equal(await enqueued, (await attempt).jobId)
    else await assert.rejects(enqueued, (error) => hasCode(error, 'E_JOB_TRANSACTION'))
    await jobs.stop()
  })
}
