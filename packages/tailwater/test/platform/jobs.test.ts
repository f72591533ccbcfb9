import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { hasCode, jobAttempt, listen, notice } from '@tailwater/core'
import { createTestSchema } from '@tailwater/postgres/testing'
import { startRedis } from '@tailwater/redis/testing'
import { createTailwater, resolveConfig, type Tailwater, type TailwaterConfig } from 'tailwater'
import { dataFolder, openPlatform } from './open_platform.ts'

const server = await startRedis()
after(() => server.stop())

/** Resolves to the job's id when an attempt of a kind has ended. */
function ended(kind: string): Promise<string> {
  return new Promise((resolve) => {
    const end = listen(jobAttempt, (event) => {
      if (event.kind !== kind) return
      end()
      resolve(event.jobId)
    })
  })
}

/** Keys of a server. */
const keys = async () => (await server.ask('KEYS *jobs*')).split('\r\n').filter((line) => line.includes('jobs')).length

for (const store of ['postgres', 'redis'] as const)
  it(`${store}: a job of a transaction runs if it commits, and is nowhere if it does not`, async () => {
    const tw = await openPlatform({ redisUrl: server.url, jobs: { store } })
    const kind = tw.jobs.define<number>({ kind: `bound-${store}`, run: ({ payload }) => payload })
    await tw.start()
    let undone = ''
    const failed = tw.database.transaction(async (tx) => {
      undone = await kind.enqueue(1, { tx })
      throw new Error('no')
    })
    await assert.rejects(failed, /no/)
    const done = ended(kind.kind)
    const id = await tw.database.transaction((tx) => kind.enqueue(2, { tx }))
    assert.equal(await done, id)
    assert.equal(await tw.jobs.inspect.get(undone), undefined)
    assert.equal((await keys()) > 0, store === 'redis', 'jobs in Redis, and there alone where they belong')
    await tw.stop()
    await server.ask('FLUSHALL')
  })

it('a platform with a database and Redis keeps its jobs in PostgreSQL unless it is told otherwise', () => {
  assert.equal(resolveConfig({ redisUrl: server.url }).jobs.store, 'postgres')
  assert.throws(
    () => resolveConfig({ jobs: { store: 'redis' } }),
    (error) => hasCode(error, 'E_OPTIONS') && /redisUrl/.test(error.message),
  )
})

it('jobs in memory run, say that they end with the process, and refuse a transaction', async () => {
  const said: string[] = []
  const end = listen(notice, ({ message }) => void said.push(message))
  const tw = await openPlatform({ jobs: { store: 'memory' } })
  const kind = tw.jobs.define<number>({ kind: 'brief', run: () => 0 })
  await tw.start()
  end()
  assert.ok(said.some((line) => /kept in memory, and end with this process/.test(line)))
  const done = ended('brief')
  assert.equal(await kind.enqueue(1), await done)
  await assert.rejects(
    tw.database.transaction((tx) => kind.enqueue(2, { tx })),
    (error) => hasCode(error, 'E_JOB_TRANSACTION'),
  )
})

/** A platform on a schema that others are opened on, too. */
async function onSchema(ground: { url: string; schema: string }, config: TailwaterConfig): Promise<Tailwater> {
  const { url, schema } = ground
  const tw = await createTailwater({
    database: { url, min: 0, max: 5 },
    schema,
    dataDir: dataFolder(),
    log: { level: 'silent' },
    ...config,
  })
  after(() => tw.stop(tw.clock.elapsed()))
  return tw
}

it('payloads are encrypted with the secret, and can be read through its rotation', async () => {
  const [older, newer] = ['the older secret, long enough for it', 'the newer secret, long enough for it']
  const ground = await createTestSchema()
  after(() => ground.close())
  const queues = { first: { concurrency: 0 }, second: { concurrency: 0 } }
  const before = await onSchema(ground, { secret: older, jobs: { encrypt: true, queues } })
  for (const kind of ['first', 'second']) before.jobs.define<object>({ kind, queue: kind, run: () => 0 })
  await before.start()
  const ids: string[] = []
  for (const kind of ['first', 'second']) ids.push((await before.jobs.enqueue({ kind, payload: { iban: 'DE00' } })).id)
  const { rows } = await before.database.query<{ payload: string }>(
    `SELECT payload::text AS payload FROM ${ground.schema}.jobs_live`,
  )
  assert.ok(rows.length > 0)
  for (const { payload } of rows) assert.match(payload, /^"tw-enc1:/)
  assert.equal((await before.jobs.inspect.get(ids.at(-1)!))?.payload, '[encrypted]')
  await before.stop()

  const seen: unknown[] = []
  const during = await onSchema(ground, {
    secret: [newer, older],
    jobs: { encrypt: true, queues: { ...queues, first: {} } },
  })
  during.jobs.define<object>({ kind: 'first', queue: 'first', run: ({ payload }) => void seen.push(payload) })
  const read = ended('first')
  await during.start()
  await read
  assert.deepEqual(seen, [{ iban: 'DE00' }])
  await during.stop()

  const later = await onSchema(ground, { secret: newer, jobs: { encrypt: true, queues: { ...queues, second: {} } } })
  later.jobs.define<object>({ kind: 'second', queue: 'second', attempts: 1, run: () => 0 })
  const refused = ended('second')
  await later.start()
  assert.match((await later.jobs.inspect.get(await refused))?.error ?? '', /E_JOB_DECRYPT/)
})
