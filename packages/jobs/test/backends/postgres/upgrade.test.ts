import assert from 'node:assert/strict'
import { after, before, it } from 'node:test'
import { newId } from '@tailwater/core'
import { type JobsBackend, jobsMigrations } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createMigrator, type MigrationModule, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime, setTestTime, type TestSchema } from '@tailwater/postgres/testing'
import { claim, completed, takeTurn } from './ground.ts'

/** What release 0.1 had. */
const before01: MigrationModule = { ...jobsMigrations, migrations: jobsMigrations.migrations.slice(0, 2) }

const NOW = '2030-01-01T00:00:00Z'

let ground: TestSchema
let backend: JobsBackend
const ids: Record<string, string> = {}

/** As release 0.1 enqueued. */
async function enqueueOld(state = 'available', more: Record<string, string | number> = {}): Promise<string> {
  const id = newId()
  const given = { attempt: 0, max_attempts: 5, run_at: NOW, ...more }
  const names = Object.keys(given)
  await ground.database.query(
    `INSERT INTO ${ground.schema}.jobs (id, kind, payload, state, created_at, request_id, ${names.join(', ')})
     VALUES ($1, 'greet', '{"name": "Ada"}', $2, '${NOW}', 'request-1', ${names.map((_, at) => `$${at + 3}`).join(', ')})`,
    [id, state, ...Object.values(given)],
  )
  return id
}

before(async () => {
  ground = await createTestSchema({ modules: [tailwaterMigrations, before01] })
  const { database, schema } = ground
  await setTestTime(database, schema, new Date(NOW))
  const leased = { owner: 'old', attempt: 2 }
  ids['available'] = await enqueueOld()
  ids['later'] = await enqueueOld('available', { run_at: '2030-01-01T01:00:00Z' })
  ids['retryable'] = await enqueueOld('retryable', { attempt: 3, run_at: '2030-01-01T00:10:00Z', error: 'no' })
  ids['due'] = await enqueueOld('retryable', { attempt: 1, error: 'no' })
  ids['running'] = await enqueueOld('running', { ...leased, lease_until: '2030-01-01T00:00:30Z' })
  ids['ending'] = await enqueueOld('running', { ...leased, lease_until: '2030-01-01T00:00:30Z' })
  ids['lost'] = await enqueueOld('running', { ...leased, lease_until: '2029-12-31T23:59:59Z' })
  ids['poison'] = await enqueueOld('running', { ...leased, attempt: 5, lease_until: '2029-12-31T23:59:59Z' })
  ids['completed'] = await enqueueOld('completed', { attempt: 1, finished_at: NOW })
  ids['dead'] = await enqueueOld('dead', { attempt: 5, finished_at: NOW, error: 'never' })
  await createMigrator({ database, schema, modules: [tailwaterMigrations, jobsMigrations] }).run()
  backend = createPostgresBackend({ database, schema })
  await backend.start()
})
after(async () => {
  await backend.stop()
  await ground.close()
})

const stateOf = async (name: string) => (await backend.inspect.get(ids[name]!))?.state

it('every job of release 0.1 that its workers do not run is there after the migration', async () => {
  const states = await Promise.all(Object.keys(ids).map(async (name) => [name, await stateOf(name)]))
  assert.deepEqual(Object.fromEntries(states), {
    available: 'available',
    later: 'scheduled',
    retryable: 'retryable',
    due: 'available',
    running: undefined,
    ending: undefined,
    lost: 'available',
    poison: 'dead',
    completed: 'completed',
    dead: 'dead',
  })
  const job = (await backend.inspect.get(ids['retryable']!))!
  assert.deepEqual(JSON.parse(job.payload), { name: 'Ada' })
  assert.deepEqual(
    [job.queue, job.kind, job.attempt, job.maxAttempts, job.error, job.requestId],
    ['default', 'greet', 3, 5, 'no', 'request-1'],
  )
  assert.deepEqual([job.enqueuedAt, job.runAt], [Date.parse(NOW), Date.parse('2030-01-01T00:10:00Z')])
  assert.equal((await backend.inspect.get(ids['dead']!))!.error, 'never')
  assert.match((await backend.inspect.get(ids['poison']!))!.error!, /^E_JOB_POISON/)
  const counts = await backend.inspect.counts()
  assert.deepEqual([counts.available, counts.completed, counts.dead], [3, 1, 2])
})

it('what a process of release 0.1 enqueues after the migration runs here', async () => {
  ids['beside'] = await enqueueOld()
  assert.equal(await stateOf('beside'), 'available')
  const jobs = await claim(backend, 'new', 10, 'default')
  assert.deepEqual(
    jobs.map(({ id }) => id).sort(),
    ['available', 'due', 'lost', 'beside'].map((name) => ids[name]!).sort(),
  )
  assert.deepEqual(
    jobs.map(({ id, attempt }) => [id, attempt]).find(([id]) => id === ids['lost']),
    [ids['lost'], 3],
  )
  assert.deepEqual((await takeTurn(backend, 'new', { ends: completed(jobs) })).refused, [])
})

it('what a process of release 0.1 ends after the migration is taken over, and what it leaves when it dies runs here', async () => {
  await ground.database.query(
    `UPDATE ${ground.schema}.jobs SET state = 'completed', finished_at = $2, lease_until = NULL WHERE id = $1`,
    [ids['ending'], NOW],
  )
  await backend.maintain.sweep()
  assert.equal(await stateOf('ending'), 'completed')
  assert.equal(await stateOf('running'), undefined)
  await passTestTime(ground.database, ground.schema, 30_001)
  await backend.maintain.sweep()
  assert.equal((await backend.inspect.get(ids['running']!))!.crashes, 1)
  assert.deepEqual(
    (await claim(backend, 'new', 10, 'default')).map(({ id }) => id),
    [ids['running']],
  )
  const { rows } = await ground.database.query(`SELECT id FROM ${ground.schema}.jobs`)
  assert.deepEqual(rows, [])
})
