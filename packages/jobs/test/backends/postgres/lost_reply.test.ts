import assert from 'node:assert/strict'
import { after, before, beforeEach, it } from 'node:test'
import { hasCode, TailwaterError } from '@tailwater/core'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createDatabase, type Database } from '@tailwater/postgres'
import { passTestTime, setTestTime } from '@tailwater/postgres/testing'
import { claim, completed, emptyTables, type Ground, newJob, openGround, takeTurn } from './ground.ts'

let ground: Ground
before(async () => {
  ground = await openGround()
})
after(() => ground.close())
beforeEach(() => emptyTables(ground.database, ground.schema))

const keep = { completed: { age: 1e9 }, cancelled: { age: 1e9 }, dead: { age: 1e9 } }

/** The database, but what the server answers to the next statement never arrives. */
function losingNextReply(database: Database): Database {
  let isLost = false
  return {
    ...database,
    async query(...given: Parameters<Database['query']>) {
      const result = await database.query(...given)
      if (isLost) return result
      isLost = true
      throw new TailwaterError('E_DATABASE_UNAVAILABLE', 'the connection was lost', { sent: true })
    },
  } as Database
}

it('a turn whose connection is lost before it is done has changed nothing', async () => {
  const { backend, database, rows } = ground
  await backend.maintain.configure('mail', { concurrency: 5 }, keep)
  await backend.jobs.add([newJob(), newJob(), newJob()])
  const [job] = await claim(backend, 'a')
  const own = createDatabase({ url: ground.url, min: 1, max: 2, applicationName: 'to-be-lost' })
  await own.start()
  const lost = createPostgresBackend({ database: own, schema: ground.schema })
  await database.transaction(async (tx) => {
    // What a turn has to wait for, after it has told its ends.
    await tx.query(`SELECT FROM ${ground.schema}.jobs_queues WHERE name = 'mail' FOR UPDATE`)
    const turn = takeTurn(lost, 'a', { ends: completed([job!]), wants: [{ queue: 'mail', count: 2 }] })
    const failed = assert.rejects(turn, (error) => hasCode(error, 'E_DATABASE_UNAVAILABLE'))
    for (let killed = 0; killed === 0; ) {
      const found = await rows(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to-be-lost' AND wait_event_type = 'Lock'`,
      )
      killed = found.length
    }
    await failed
  })
  const counts = await backend.inspect.counts()
  assert.deepEqual([counts.running, counts.available, counts.completed], [1, 2, 0])
  const reply = await takeTurn(lost, 'a', {
    ends: completed([job!]),
    wants: [{ queue: 'mail', count: 2 }],
    reconcile: [],
  })
  assert.deepEqual([reply.refused, reply.claimed.length], [[], 2])
  await own.stop()
})

it('jobs given in a reply that was lost are given again, in the same attempt', async () => {
  const { backend, database, schema } = ground
  await backend.jobs.add([newJob(), newJob(), newJob()])
  const deaf = createPostgresBackend({ database: losingNextReply(database), schema })
  await assert.rejects(claim(deaf, 'a', 2))
  assert.equal((await backend.inspect.counts()).running, 2)
  const { claimed } = await takeTurn(deaf, 'a', { wants: [{ queue: 'mail', count: 1 }], reconcile: [] })
  assert.deepEqual(
    claimed.map(({ attempt }) => attempt),
    [1, 1, 1],
  )
  assert.equal(new Set(claimed.map(({ id }) => id)).size, 3)
})

it('ends told again after a lost reply are refused, and counted once', async () => {
  const { backend, database, schema } = ground
  await backend.jobs.add([newJob()])
  const jobs = await claim(backend, 'a')
  const deaf = createPostgresBackend({ database: losingNextReply(database), schema })
  await assert.rejects(takeTurn(deaf, 'a', { ends: completed(jobs) }))
  assert.deepEqual((await takeTurn(deaf, 'a', { ends: completed(jobs) })).refused, [jobs[0]!.id])
  assert.equal((await backend.inspect.counts()).completed, 1)
})

it('jobs whose storing was confirmed by nobody are stored once when they are told again', async () => {
  const { backend, database, schema } = ground
  const deaf = createPostgresBackend({ database: losingNextReply(database), schema })
  const jobs = [newJob(), newJob({ unique: { key: 'once' } })]
  await assert.rejects(deaf.jobs.add(jobs))
  await takeTurn(backend, 'a', { ends: completed(await claim(backend, 'a', 1)) })
  assert.deepEqual(
    (await deaf.jobs.add(jobs)).map(({ outcome }) => outcome),
    ['stored', 'stored'],
  )
  const counts = await backend.inspect.counts()
  assert.deepEqual([counts.completed, counts.available], [1, 1])
})

it("a server's clock that is set back or forward does not lose a job, nor give one to two workers", async () => {
  const { backend, database, schema } = ground
  await setTestTime(database, schema, new Date('2030-01-01T12:00:00Z'))
  await backend.jobs.add([newJob(), newJob({ delay: 60_000 })])
  const [first] = await claim(backend, 'a')
  await setTestTime(database, schema, new Date('2030-01-01T11:50:00Z'))
  assert.deepEqual(await claim(backend, 'b', 5), [])
  assert.deepEqual((await takeTurn(backend, 'a', { ends: completed([first!]) })).refused, [])
  const late = newJob()
  await backend.jobs.add([late])
  assert.deepEqual(
    (await claim(backend, 'a', 5)).map(({ id }) => id),
    [late.id],
  )
  await passTestTime(database, schema, 20 * 60_000)
  const taken = await claim(backend, 'b', 5)
  assert.equal(taken.length, 2, 'the late one, whose lease seems over, and the scheduled one')
  assert.deepEqual(
    (await takeTurn(backend, 'a', { ends: [{ id: late.id, attempt: 1, outcome: 'completed', result: undefined }] }))
      .refused,
    [late.id],
  )
  assert.deepEqual((await takeTurn(backend, 'b', { ends: completed(taken) })).refused, [])
  assert.equal((await backend.inspect.counts()).completed, 3)
  await setTestTime(database, schema)
})

it('a worker that asks what was lost waits for a turn of its own that is still under way in the server', async () => {
  const { backend, database, schema, rows } = ground
  const jobs = [newJob(), newJob()]
  await backend.jobs.add(jobs)
  let asking: ReturnType<typeof takeTurn> | undefined
  await database.transaction(async (tx) => {
    await tx.query(
      `SELECT FROM ${schema}.jobs_turn_v2('a', 30000, NULL, NULL, NULL, NULL, NULL, '{mail}', '{2}', NULL)`,
    )
    asking = takeTurn(backend, 'a', { reconcile: [] })
    for (let waiting = 0; waiting === 0; )
      waiting = (await rows(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)).length
  })
  assert.deepEqual(
    (await asking!).claimed.map(({ id }) => id),
    jobs.map(({ id }) => id),
  )
})
