import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { createDatabase, type Database, statement } from '@tailwater/postgres'
import { startPgBouncer, startTestPostgres, type TestPgBouncer, type TestPostgres } from '@tailwater/postgres/testing'
import { until } from './until.ts'

const CALLERS = 24
const CALLS = 60

/** Park and Miller's minimal standard generator: the same storm for the same seed. */
function lcg(seed: number): () => number {
  let state = (seed % 2147483646) + 1
  return () => {
    state = (state * 48271) % 2147483647
    return state / 2147483647
  }
}

const echo = statement('storm-echo', 'SELECT $1::text AS answer, pg_sleep($2::float8) IS NULL AS late')

/** Asks for a question back, in one of many ways; aborts and failures may come between, another's answer never. */
async function ask(database: Database, question: string, random: () => number): Promise<'answered' | 'failed'> {
  const kind = Math.floor(random() * 8)
  const nap = random() * 0.01
  const limits =
    random() < 0.4 ? { signal: abortIn(random() * 10) } : random() < 0.2 ? { timeout: 1 + random() * 8 } : undefined
  const check = (rows: { answer: string }[]) =>
    assert.deepEqual(
      rows.map(({ answer }) => answer),
      [question],
    )
  try {
    if (kind <= 2) check((await database.query<{ answer: string }>(echo, [question, nap], limits)).rows)
    else if (kind === 3)
      check(
        (await database.query<{ answer: string }>('SELECT $1::text AS answer, pg_sleep($2)', [question, nap], limits))
          .rows,
      )
    else if (kind === 4) await database.query('SELECT 1 / ($1::int - $1::int)', [question.length], limits)
    else if (kind === 5) await inTransaction(database, question, nap, limits)
    else if (kind === 6) await copyThrough(database, question, limits)
    else check((await database.reader.query<{ answer: string }>(echo, [question, nap], limits)).rows)
    return 'answered'
  } catch (error) {
    const { code } = error as { code?: string }
    // A cancellation that strays to somebody who asked for none would show here.
    const expected = [
      ...(kind === 4 ? ['E_QUERY'] : []),
      ...(limits ? ['E_QUERY_CANCELLED', 'E_DATABASE_TIMEOUT'] : []),
    ]
    if (!expected.includes(String(code))) throw error
    return 'failed'
  }
}

async function inTransaction(
  database: Database,
  question: string,
  nap: number,
  limits: object | undefined,
): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query("SELECT set_config('storm.question', $1, true)", [question])
    await tx.savepoint(() => tx.query('SELECT pg_sleep($1), 1 / 0', [nap])).catch(() => {})
    const { rows } = await tx.query("SELECT current_setting('storm.question') AS answer")
    assert.deepEqual(rows, [{ answer: question }])
  }, limits)
}

async function copyThrough(database: Database, question: string, limits: object | undefined): Promise<void> {
  const count = await database.copyIn(
    'COPY storm FROM STDIN',
    Readable.from([`${question}\n`, `${question}\n`]),
    limits,
  )
  assert.equal(count, 2)
  const sink = new PassThrough()
  const out = sink.toArray()
  out.catch(() => {})
  await database.copyOut(`COPY (SELECT '${question}' FROM generate_series(1, 100)) TO STDOUT`, sink, limits)
  assert.equal(Buffer.concat(await out).toString(), `${question}\n`.repeat(100))
}

function abortIn(ms: number): AbortSignal {
  const controller = new AbortController()
  void wait(ms).then(() => controller.abort())
  return controller.signal
}

describe('in a storm of aborts, timeouts and failures every answer belongs to its question', {
  timeout: 120_000,
}, () => {
  let server: TestPostgres
  let bouncer: TestPgBouncer
  before(async () => {
    server = await startTestPostgres()
    bouncer = await startPgBouncer({ target: server.url, poolSize: 5 })
    const database = createDatabase({ url: server.url, min: 1, max: 1 })
    await database.start()
    await database.query('CREATE UNLOGGED TABLE storm (question text)')
    await database.stop()
  })
  after(async () => {
    await bouncer.close()
    await server.close()
  })

  for (const pooler of ['none', 'transaction'] as const) {
    it(pooler === 'none' ? 'straight to the server' : 'through a PgBouncer', async () => {
      const seed = process.hrtime()[1]
      const url = pooler === 'none' ? server.url : bouncer.url
      const database = createDatabase({ url, pooler, min: 4, max: 8, acquireTimeout: '60s' })
      await database.start()
      const caller = async (name: number) => {
        const random = lcg(seed + name)
        let answered = 0
        for (let call = 0; call < CALLS; call++) {
          if ((await ask(database, `q-${name}-${call}`, random)) === 'answered') answered++
        }
        return answered
      }
      try {
        const answered = await Promise.all(Array.from({ length: CALLERS }, (_, name) => caller(name)))
        assert.ok(
          answered.every((count) => count > 0),
          `seed ${seed}`,
        )
        await until(() => database.stats().primary.idle === database.stats().primary.open)
        assert.equal(database.stats().primary.waiting, 0)
      } catch (error) {
        throw new Error(`seed ${seed}`, { cause: error })
      } finally {
        await database.stop()
      }
    })
  }
})
