import assert from 'node:assert/strict'
import { PassThrough, Readable } from 'node:stream'
import { after, before, beforeEach, describe, it } from 'node:test'
import { stressLifecycle } from '@tailwater/core/testing'
import { asQueryable, createDatabase, type Database, hasSqlState, statement } from '@tailwater/postgres'
import { startTestPostgres, type TestPostgres } from '@tailwater/postgres/testing'
import pg from 'pg'
import { countRunning, failureOf, until, untilRuns } from './until.ts'

describe("a database on a user's own pool", () => {
  let server: TestPostgres
  let pool: pg.Pool
  let database: Database
  before(async () => {
    server = await startTestPostgres()
    pool = new pg.Pool({ connectionString: server.url, max: 3 })
    pool.on('error', () => {})
    database = createDatabase({ pool, acquireTimeout: 500 })
    await database.start()
    await database.query('CREATE TABLE entry (id int PRIMARY KEY)')
  })
  beforeEach(async () => void (await database.query('TRUNCATE entry')))
  after(async () => {
    await database.stop()
    await pool.end()
    await server.close()
  })

  const allBack = () => until(() => pool.idleCount === pool.totalCount)

  it('runs statements, named ones too, by the types of the pool', async () => {
    const one = statement('foreign-one', 'SELECT $1::int8 AS a')
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => database.query<{ a: string }>(one, [i])))
    assert.deepEqual(
      answers.map(({ rows }) => rows[0]!.a),
      Array.from({ length: 20 }, (_, i) => String(i)),
    )
    await allBack()
    const { primary } = database.stats()
    assert.deepEqual([primary.open, primary.idle, primary.max], [pool.totalCount, pool.idleCount, 3])
  })

  it('runs transactions and COPY, and gives every client back', async () => {
    await database.transaction((tx) => tx.query('INSERT INTO entry VALUES (1)'))
    await assert.rejects(
      database.transaction((tx) => tx.query('INSERT INTO entry VALUES (1)')),
      (error) => hasSqlState(error, '23505'),
    )
    assert.equal(await database.copyIn('COPY entry FROM STDIN', Readable.from(['2\n3\n'])), 2)
    const sink = new PassThrough()
    sink.resume()
    assert.equal(await database.copyOut('COPY entry TO STDOUT', sink), 3)
    await allBack()
    assert.equal(pool.totalCount > 0, true)
  })

  it('cancels on the server, and the client is good for the next', async () => {
    const controller = new AbortController()
    const sleeping = failureOf(
      database.query('SELECT pg_sleep(60) AS foreign_abort', [], { signal: controller.signal }),
    )
    await untilRuns(database, 'foreign_abort')
    controller.abort()
    assert.equal((await sleeping).code, 'E_QUERY_CANCELLED')
    await until(async () => (await countRunning(database, 'foreign_abort')) === 0)
    await allBack()
    await Promise.all(Array.from({ length: 10 }, () => pool.query('SELECT 1')))
  })

  it('tells a caller when the pool is exhausted, with numbers', async () => {
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    const error = await failureOf(database.query('SELECT 1'))
    assert.equal(error.code, 'E_DATABASE_TIMEOUT')
    assert.match(error.message, /your pool came free within 500 ms: 3 of at most 3 are in use/)
    for (const client of clients) client.release()
    await allBack()
  })

  it('has sessions on clients of the pool, whose state nobody inherits', async () => {
    const session = await database.session()
    const heard = Promise.withResolvers<string>()
    session.onNotification((_, payload) => heard.resolve(payload))
    await session.query('LISTEN foreign_news')
    await database.query("NOTIFY foreign_news, 'hello'")
    assert.equal(await heard.promise, 'hello')
    await session.release()
    await allBack()
    assert.equal(database.stats().sessions, 0)
    assert.deepEqual((await pool.query('SELECT count(*)::int AS n FROM pg_listening_channels()')).rows, [{ n: 0 }])
  })

  it('survives the loss of the server', async () => {
    await server.kill('SIGKILL')
    // The server's children outlive it by a moment, and answer.
    let error: { code?: string } | undefined
    await until(() =>
      database.query('SELECT 1').then(
        () => false,
        (thrown: { code?: string }) => {
          error = thrown
          return true
        },
      ),
    )
    assert.equal(error?.code, 'E_DATABASE_UNAVAILABLE')
    await server.restart()
    await until(async () =>
      database.query('SELECT 1').then(
        () => true,
        () => false,
      ),
    )
  })

  it('starts and stops in any order, and leaves the pool open', async () => {
    await stressLifecycle(createDatabase({ pool }))
    assert.equal(pool.ended, false)
    assert.equal((await pool.query('SELECT 1')).rows.length, 1)
    await assert.rejects(createDatabase({ pool }).query('SELECT 1'), { code: 'E_DATABASE_CLOSED' })
  })

  it("takes part in a transaction of the user's own, through asQueryable", async () => {
    const client = await pool.connect()
    await client.query('BEGIN')
    const tx = asQueryable(client)
    assert.equal(
      (await tx.query(statement('by-port', 'INSERT INTO entry VALUES ($1) RETURNING id'), [7])).rows.length,
      1,
    )
    const error = await failureOf(tx.query('INSERT INTO entry VALUES ($1)', [7]))
    assert.equal(error.code, 'E_QUERY')
    assert.ok(hasSqlState(error, '23505'))
    await client.query('ROLLBACK')
    const limited = await failureOf(tx.query('SELECT pg_sleep(0.2)', [], { timeout: 10 }))
    assert.equal(limited.code, 'E_DATABASE_TIMEOUT')
    client.release()
    assert.deepEqual((await asQueryable(pool).query('SELECT 1 AS a')).rows, [{ a: 1 }])
  })
})
