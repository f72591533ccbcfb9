import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { databasePool, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createDatabase, type Database, hasSqlState } from '@tailwater/postgres'
import { startTestPostgres, type TestPostgres } from '@tailwater/postgres/testing'
import { type BreakingProxy, startBreakingProxy } from './breaking_proxy.ts'
import { countRunning, failureOf, until, untilRuns } from './until.ts'

describe('when the server is killed under load', () => {
  let server: TestPostgres
  let database: Database
  before(async () => {
    server = await startTestPostgres()
    database = createDatabase({ url: server.url, min: 4, max: 8 })
    await database.start()
    await database.query('CREATE TABLE entry (id int PRIMARY KEY)')
  })
  after(async () => {
    await database.stop()
    await server.close()
  })

  it('callers fail at once with one kind of error, nothing confirmed is lost, and service resumes by itself', async () => {
    const confirmed: number[] = []
    const failures: { code: string | undefined; ms: number }[] = []
    let next = 0
    let isOver = false
    const write = async () => {
      while (!isOver) {
        const id = next++
        const startedAt = performance.now()
        try {
          await database.transaction((tx) => tx.query('INSERT INTO entry VALUES ($1)', [id]))
          confirmed.push(id)
        } catch (error) {
          failures.push({ code: (error as { code?: string }).code, ms: performance.now() - startedAt })
          await new Promise<void>((resolve) => setImmediate(resolve))
        }
      }
    }
    const read = async () => {
      while (!isOver) {
        await database
          .query('SELECT count(*) FROM entry')
          .catch((error: { code?: string }) => void failures.push({ code: error.code, ms: 0 }))
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    }
    const load = [...Array.from({ length: 6 }, write), ...Array.from({ length: 6 }, read)]
    await until(() => confirmed.length > 50)
    await server.kill('SIGKILL')
    await until(() => failures.length > 100)
    await server.restart()
    const before = confirmed.length
    await until(() => confirmed.length > before + 50)
    isOver = true
    await Promise.all(load)
    const expected = ['E_DATABASE_UNAVAILABLE', 'E_COMMIT_UNKNOWN']
    assert.deepEqual(
      failures.filter(({ code }) => !expected.includes(String(code))),
      [],
    )
    assert.ok(Math.max(...failures.map(({ ms }) => ms)) < 2_000, 'a caller waited for a server that was away')
    const { rows } = await database.query<{ id: number }>('SELECT id FROM entry')
    const present = new Set(rows.map(({ id }) => id))
    assert.deepEqual(
      confirmed.filter((id) => !present.has(id)),
      [],
    )
    await until(() => database.stats().primary.open >= 4)
  })

  it('the pool empties and fills again though nobody asks anything', async () => {
    await server.kill('SIGKILL')
    await until(() => database.stats().primary.open === 0)
    await server.restart()
    await until(() => database.stats().primary.open === 4)
  })

  it('a database that could not start can be started when the server is back', async () => {
    const late = createDatabase({ url: server.url, min: 1 })
    await server.kill('SIGKILL')
    await assert.rejects(late.start(), { code: 'E_DATABASE_UNAVAILABLE' })
    await server.restart()
    await late.start()
    assert.equal((await late.query('SELECT 1')).rows.length, 1)
    await late.stop()
  })

  it('a stop while the server is away ends', async () => {
    const other = createDatabase({ url: server.url, min: 2 })
    await other.start()
    await server.kill('SIGKILL')
    await until(() => other.stats().primary.open === 0)
    await other.stop()
    await server.restart()
  })
})

describe('a connection lost', () => {
  let server: TestPostgres
  let proxy: BreakingProxy
  let database: Database
  let direct: Database
  before(async () => {
    server = await startTestPostgres()
    direct = createDatabase({ url: server.url, min: 1, max: 2 })
    await direct.start()
    await direct.query('CREATE TABLE entry (id int PRIMARY KEY)')
  })
  after(async () => {
    await direct.stop()
    await server.close()
  })
  beforeEach(async () => {
    proxy = await startBreakingProxy(server.url)
    database = createDatabase({ url: proxy.url, min: 2, max: 4 })
    await database.start()
    await until(() => database.stats().primary.idle === 2)
    await direct.query('TRUNCATE entry')
  })
  afterEach(async () => {
    await database.stop()
    await proxy.close()
  })

  const ids = async () =>
    (await direct.query<{ id: number }>('SELECT id FROM entry ORDER BY id')).rows.map(({ id }) => id)

  it('while idle is replaced, and nobody notices', async () => {
    let lost = 0
    const stop = listen(databasePool, ({ change }) => {
      if (change === 'lost') lost++
    })
    proxy.cutAll()
    await until(() => lost === 2 && database.stats().primary.open === 2)
    stop()
    assert.equal((await database.query('SELECT 1')).rows.length, 1)
  })

  it('before a transaction has begun is not noticed', async () => {
    let runs = 0
    proxy.cutAt('BEGIN', 'after')
    await database.transaction(async (tx) => {
      runs++
      await tx.query('INSERT INTO entry VALUES (1)')
    })
    assert.equal(runs, 1)
    assert.deepEqual(await ids(), [1])
  })

  it('before COMMIT was sent: the transaction is run again, once', async () => {
    let runs = 0
    proxy.cutAt('COMMIT', 'before')
    await database
      .transaction(
        async (tx) => {
          runs++
          await tx.query('INSERT INTO entry VALUES (1)')
        },
        { retries: 0, readOnly: false },
      )
      .catch((error: { code?: string }) => assert.equal(error.code, 'E_COMMIT_UNKNOWN'))
    assert.equal(runs, 1)
    runs = 0
    await database.transaction(
      async (tx) => {
        if (++runs === 1) proxy.cutAt('two', 'before')
        await tx.query('INSERT INTO entry VALUES (2) /* two */')
      },
      { retries: 1 },
    )
    assert.equal(runs, 2)
    assert.deepEqual(await ids(), [2])
  })

  it('during COMMIT is reported as unknown, never repeated, and nothing that was to follow happens', async () => {
    let runs = 0
    let followed = false
    proxy.cutAt('COMMIT', 'after')
    const unknown = database.transaction(
      async (tx) => {
        runs++
        tx.afterCommit(() => {
          followed = true
        })
        await tx.query('INSERT INTO entry VALUES (1)')
      },
      { retries: 5 },
    )
    const error = await failureOf(unknown)
    assert.equal(error.code, 'E_COMMIT_UNKNOWN')
    assert.deepEqual([runs, followed], [1, false])
    assert.deepEqual(await ids(), [1])
  })

  it('under a statement that may have been done is reported and not repeated', async () => {
    proxy.cutAt('one', 'after')
    const error = await failureOf(database.query('INSERT INTO entry VALUES (1) /* one */'))
    assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
    assert.equal(error.details['sent'], true)
    assert.deepEqual(await ids(), [1])
  })

  it('under a read through the reader is not noticed', async () => {
    proxy.cutAt('reading', 'after')
    assert.deepEqual((await database.reader.query('SELECT $1::int AS a /* reading */', [7])).rows, [{ a: 7 }])
  })

  it('ended by an operator under a statement says so', async () => {
    const sleeping = failureOf(database.query('SELECT pg_sleep(60) AS end_me'))
    await untilRuns(direct, 'end_me')
    await direct.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE position('end_me' in query) > 0 AND pid <> pg_backend_pid()",
    )
    const error = await sleeping
    assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
    assert.ok(hasSqlState(error, '57P01'))
    assert.equal((await database.query('SELECT 1')).rows.length, 1)
  })

  it('while a statement is being cancelled does not hold its caller up', async () => {
    const controller = new AbortController()
    const sleeping = failureOf(
      database.query('SELECT pg_sleep(60) AS cancel_and_cut', [], { signal: controller.signal }),
    )
    await untilRuns(direct, 'cancel_and_cut')
    controller.abort()
    proxy.cutAll()
    assert.equal((await sleeping).code, 'E_QUERY_CANCELLED')
    await until(() => database.stats().primary.idle === 2)
    await until(
      async () =>
        (await countRunning(direct, 'cancel_and_cut')) === 0 ||
        (
          await direct.query(
            "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE position('cancel_and_cut' in query) > 0 AND pid <> pg_backend_pid()",
          )
        ).rows.length === 0,
    )
  })

  it('under a session ends the session', async () => {
    const session = await database.session()
    proxy.cutAll()
    await session.closed
    await assert.rejects(async () => session.query('SELECT 1'), { code: 'E_DATABASE_UNAVAILABLE' })
    assert.equal(database.stats().sessions, 0)
    await session.release()
  })
})

describe('a server that stops answering', () => {
  it('holds nobody longer than a little over the statement timeout, and is used again when it answers', async () => {
    const server = await startTestPostgres()
    const proxy = await startBreakingProxy(server.url)
    const clock = new FakeClock()
    const database = createDatabase(
      { url: proxy.url, min: 1, max: 2, statementTimeout: '1s', connectTimeout: 200 },
      { clock },
    )
    await database.start()
    proxy.freeze()
    const outcomes = [
      failureOf(database.query('SELECT 1')),
      failureOf(database.transaction(async (tx) => void (await tx.query('SELECT 1')))),
    ]
    await clock.advance(7_000)
    for (const outcome of outcomes)
      assert.ok(['E_DATABASE_TIMEOUT', 'E_DATABASE_UNAVAILABLE'].includes(String((await outcome).code)))
    await clock.advance(5_000)
    assert.equal(database.stats().primary.idle, 0)
    proxy.cutAll()
    await until(async () => {
      await clock.advance(100)
      return database.stats().primary.idle > 0
    })
    assert.equal((await database.query('SELECT 1')).rows.length, 1)
    await database.stop()
    await proxy.close()
    await server.close()
  })
})
