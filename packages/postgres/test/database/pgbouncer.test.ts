import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { createDatabase, type Database, statement } from '@tailwater/postgres'
import { startPgBouncer, startTestPostgres, type TestPgBouncer, type TestPostgres } from '@tailwater/postgres/testing'
import { countRunning, failureOf, until, untilRuns } from './until.ts'

describe('through a PgBouncer in transaction mode', () => {
  let server: TestPostgres
  let bouncer: TestPgBouncer
  let database: Database
  let direct: Database
  before(async () => {
    server = await startTestPostgres()
    bouncer = await startPgBouncer({ target: server.url, poolSize: 3 })
    database = createDatabase({
      url: bouncer.url,
      directUrl: server.url,
      pooler: 'transaction',
      min: 4,
      max: 12,
      statementTimeout: '20s',
    })
    direct = createDatabase({ url: server.url, min: 1, max: 2 })
    await Promise.all([database.start(), direct.start()])
    await database.query('CREATE TABLE entry (id int PRIMARY KEY)')
  })
  after(async () => {
    await Promise.all([database.stop(), direct.stop()])
    await bouncer.close()
    await server.close()
  })

  it('named statements run, though server connections change hands', async () => {
    const one = statement('bounced-one', 'SELECT $1::int AS a')
    const two = statement('bounced-two', 'SELECT $1::int + 1 AS a')
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => database.query<{ a: number }>(i % 2 ? two : one, [i])),
    )
    assert.deepEqual(
      answers.map(({ rows }) => rows[0]!.a),
      Array.from({ length: 200 }, (_, i) => i + (i % 2)),
    )
    const prepared = await Promise.all(
      Array.from({ length: 20 }, () =>
        database.query('SELECT name FROM pg_prepared_statements WHERE pg_sleep(0.005) IS NOT NULL'),
      ),
    )
    assert.deepEqual(
      prepared.flatMap(({ rows }) => rows),
      [],
    )
  })

  it('transactions run, more at a time than there are server connections', async () => {
    await Promise.all(
      Array.from({ length: 30 }, (_, id) =>
        database.transaction(async (tx) => {
          await tx.query('INSERT INTO entry VALUES ($1)', [id])
          await tx.savepoint(() => tx.query('INSERT INTO entry VALUES ($1)', [id])).catch(() => {})
          const { rows } = await tx.query('SELECT id FROM entry WHERE id = $1', [id])
          assert.equal(rows.length, 1)
        }),
      ),
    )
    assert.deepEqual((await database.query('SELECT count(*) AS n FROM entry')).rows, [{ n: 30 }])
  })

  it('transactions keep their limits, which end with them', async () => {
    const set =
      "SELECT current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS idle"
    assert.deepEqual(await database.transaction(async (tx) => (await tx.query(set)).rows), [
      { statement: '20s', idle: '1min' },
    ])
    assert.deepEqual((await database.query(set)).rows, [{ statement: '0', idle: '0' }])
  })

  it('serialisation failures are repeated', async () => {
    let runs = 0
    await database.transaction(
      async (tx) => {
        if (++runs === 1) await tx.query("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
      },
      { isolation: 'serializable' },
    )
    assert.equal(runs, 2)
  })

  it('a statement aborted by its caller is cancelled on the server, and nothing else is', async () => {
    const controller = new AbortController()
    const sleeping = failureOf(
      database.query('SELECT pg_sleep(60) AS bounced_abort', [], { signal: controller.signal }),
    )
    await untilRuns(direct, 'bounced_abort')
    controller.abort()
    const others = Array.from({ length: 60 }, () => database.query('SELECT 1'))
    assert.equal((await sleeping).code, 'E_QUERY_CANCELLED')
    await Promise.all(others)
    await until(async () => (await countRunning(direct, 'bounced_abort')) === 0)
  })

  it('a statement that takes too long is cancelled from here', async () => {
    const impatient = createDatabase({ url: bouncer.url, pooler: 'transaction', min: 1, max: 1, statementTimeout: 100 })
    await impatient.start()
    const error = await failureOf(impatient.query('SELECT pg_sleep(60) AS bounced_slow'))
    assert.equal(error.code, 'E_DATABASE_TIMEOUT')
    await until(async () => (await countRunning(direct, 'bounced_slow')) === 0)
    assert.equal((await impatient.query('SELECT 1')).rows.length, 1)
    await impatient.stop()
  })

  it('COPY runs both ways', async () => {
    const lines = Array.from({ length: 1_000 }, (_, id) => `${id + 1_000}\n`)
    assert.equal(await database.copyIn('COPY entry FROM STDIN', Readable.from(lines)), 1_000)
    const sink = new PassThrough()
    sink.resume()
    assert.equal(await database.copyOut('COPY (SELECT * FROM entry WHERE id >= 1000) TO STDOUT', sink), 1_000)
  })

  it('a session goes straight to the server, and hears', async () => {
    const session = await database.session()
    const heard = Promise.withResolvers<string>()
    session.onNotification((_, payload) => heard.resolve(payload))
    await session.query('LISTEN bounced')
    await database.query("NOTIFY bounced, 'hello'")
    assert.equal(await heard.promise, 'hello')
    await session.release()
  })

  it('a session is refused when the way to the server is not known', async () => {
    const blind = createDatabase({ url: bouncer.url, pooler: 'transaction', min: 1, max: 1 })
    await blind.start()
    await assert.rejects(blind.session(), { code: 'E_NO_SESSION', message: /directUrl/ })
    await blind.stop()
  })

  it('that was not announced, statements heal, at the cost of connections', async () => {
    const unaware = createDatabase({ url: bouncer.url, min: 4, max: 4 })
    await unaware.start()
    const one = statement('unannounced', 'SELECT $1::int AS a')
    const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => unaware.query<{ a: number }>(one, [i])))
    assert.deepEqual(
      answers.map(({ rows }) => rows[0]!.a),
      Array.from({ length: 100 }, (_, i) => i),
    )
    await unaware.stop()
  })
})
