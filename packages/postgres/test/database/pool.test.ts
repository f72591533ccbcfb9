import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { type DatabasePoolEvent, databasePool, listen, type NoticeEvent, notice } from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { createDatabase, type Database, type DatabaseOptions } from '@tailwater/postgres'
import { testServerUrl } from '@tailwater/postgres/testing'
import { failureOf, until } from './until.ts'

describe('the pool', () => {
  let url: string
  before(async () => {
    url = await testServerUrl()
  })

  async function withDatabase(
    options: DatabaseOptions,
    body: (database: Database, clock: FakeClock) => Promise<void>,
  ): Promise<void> {
    const clock = new FakeClock()
    const database = createDatabase({ url, ...options }, { clock })
    await database.start()
    try {
      await body(database, clock)
    } finally {
      await database.stop()
    }
  }

  /** Takes connections and keeps them until told. */
  function hold(database: Database, count: number) {
    const free = Promise.withResolvers<void>()
    let held = 0
    const ended = Array.from({ length: count }, () =>
      database.transaction(
        async () => {
          held++
          await free.promise
        },
        { timeout: 0 },
      ),
    )
    return {
      get held() {
        return held
      },
      async release() {
        free.resolve()
        await Promise.all(ended)
      },
    }
  }

  it('is open when started, and warms up to its minimum in the background', async () => {
    await withDatabase({ min: 3, max: 5 }, async (database) => {
      const { open, min, max } = database.stats().primary
      assert.ok(open >= 1)
      assert.deepEqual({ min, max }, { min: 3, max: 5 })
      await until(() => database.stats().primary.idle === 3)
    })
  })

  it('opens a connection for each caller up to its minimum at once', async () => {
    await withDatabase({ min: 3, max: 5 }, async (database) => {
      const holding = hold(database, 3)
      await until(() => holding.held === 3)
      await holding.release()
    })
  })

  it('grows beyond its minimum only while callers wait, and shrinks back when they are gone', async () => {
    await withDatabase({ min: 1, max: 3, idleTimeout: '10s' }, async (database, clock) => {
      const holding = hold(database, 5)
      await until(() => holding.held === 1)
      assert.equal(database.stats().primary.waiting, 4)
      for (const held of [2, 3]) {
        await clock.advance(20)
        await until(() => holding.held === held)
      }
      await clock.advance(1_000)
      assert.deepEqual(database.stats().primary, { open: 3, idle: 0, waiting: 2, min: 1, max: 3 })
      await holding.release()
      assert.equal(holding.held, 5)
      assert.equal(database.stats().primary.open, 3)
      await clock.advance(10_000)
      await until(() => database.stats().primary.open === 1)
      await clock.advance(60_000)
      assert.equal(database.stats().primary.open, 1)
    })
  })

  it('grows late for statements that are quick: then it is not connections that are short', async () => {
    await withDatabase({ min: 2, max: 10 }, async (database, clock) => {
      let done = 0
      const serve = async (count: number) => {
        const goal = done + count
        await until(() => done >= goal)
      }
      const asked = Array.from({ length: 400 }, () => database.query('SELECT 1').then(() => done++))
      await until(() => database.stats().primary.open === 2)
      for (let tick = 0; tick < 4; tick++) {
        await serve(10)
        await clock.advance(20)
        assert.equal(database.stats().primary.open, 2)
      }
      while (database.stats().primary.waiting > 0 && database.stats().primary.open === 2) {
        await serve(5)
        await clock.advance(20)
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
      await Promise.all(asked)
      await until(() => database.stats().primary.open > 2)
    })
  })

  it('gives connections in the order they were asked for', async () => {
    await withDatabase({ min: 1, max: 1 }, async (database) => {
      const order: number[] = []
      await Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          if (i % 2) await database.query('SELECT 1')
          else await database.transaction(async (tx) => void (await tx.query('SELECT 1')))
          order.push(i)
        }),
      )
      assert.deepEqual(
        order,
        Array.from({ length: 20 }, (_, i) => i),
      )
    })
  })

  it('that is exhausted tells a caller so after the acquire timeout, with numbers', async () => {
    const events: DatabasePoolEvent[] = []
    const stopListening = listen(databasePool, (event) => void events.push(event))
    await withDatabase({ min: 1, max: 2, acquireTimeout: '2s', name: 'shop' }, async (database, clock) => {
      const holding = hold(database, 2)
      await until(() => holding.held === 1)
      await clock.advance(20)
      await until(() => holding.held === 2)
      const outcomes = [failureOf(database.query('SELECT 1')), failureOf(database.transaction(async () => {}))]
      await clock.advance(1_999)
      assert.equal(database.stats().primary.waiting, 2)
      await clock.advance(30)
      for (const error of await Promise.all(outcomes)) {
        assert.equal(error.code, 'E_DATABASE_TIMEOUT')
        assert.match(
          error.message,
          /no connection of shop came free within 2000 ms: 2 of at most 2 are in use and [12] callers wait/,
        )
        assert.equal(error.details['max'], 2)
      }
      await holding.release()
      assert.equal((await database.query('SELECT 1')).rows.length, 1)
    })
    stopListening()
    assert.ok(events.some(({ change, pool }) => change === 'exhausted' && pool === 'shop'))
    assert.ok(events.some(({ change }) => change === 'connected'))
    assert.ok(events.some(({ change, open }) => change === 'closed' && open === 0))
  })

  it('lets a caller that gives up leave the queue', async () => {
    await withDatabase({ min: 1, max: 1 }, async (database) => {
      const holding = hold(database, 1)
      await until(() => holding.held === 1)
      const controller = new AbortController()
      const outcomes = [
        failureOf(database.query('SELECT 1', [], { signal: controller.signal })),
        failureOf(database.transaction(async () => {}, { signal: controller.signal })),
      ]
      await until(() => database.stats().primary.waiting === 2)
      controller.abort()
      for (const error of await Promise.all(outcomes)) assert.equal(error.code, 'E_QUERY_CANCELLED')
      assert.equal(database.stats().primary.waiting, 0)
      await holding.release()
    })
  })

  it('does not share a connection that somebody left in a transaction, and says so', async () => {
    const notices: NoticeEvent[] = []
    const stopListening = listen(notice, (event) => void notices.push(event))
    await withDatabase({ min: 1, max: 1 }, async (database) => {
      await database.query('BEGIN')
      const { rows } = await database.query(
        'SELECT pg_current_xact_id_if_assigned() AS id, now() = statement_timestamp() AS alone',
      )
      assert.deepEqual(rows, [{ id: null, alone: true }])
    })
    stopListening()
    assert.ok(notices.some(({ level, message }) => level === 'warn' && message.includes('use transaction()')))
  })

  it('finishes what runs before it stops, and refuses what comes after', async () => {
    const database = createDatabase({ url, min: 1, max: 2 })
    await assert.rejects(database.query('SELECT 1'), { code: 'E_DATABASE_CLOSED' })
    await database.start()
    const running = database.query<{ a: number }>('SELECT pg_sleep(0.05), 1 AS a')
    const queued = Promise.all(Array.from({ length: 5 }, () => database.query('SELECT 1')))
    const stopping = database.stop()
    await new Promise<void>((resolve) => setImmediate(resolve))
    await assert.rejects(database.query('SELECT 1'), { code: 'E_DATABASE_CLOSED' })
    assert.equal((await running).rows[0]!.a, 1)
    assert.equal((await queued).length, 5)
    await stopping
    assert.equal(database.stats().primary.open, 0)
    await database.start()
    assert.equal((await database.query('SELECT 1')).rows.length, 1)
    await database.stop()
  })

  it('abandons what still runs at the deadline of a stop', async () => {
    const clock = new FakeClock()
    const database = createDatabase({ url, min: 1, max: 1 }, { clock })
    await database.start()
    const running = failureOf(database.query('SELECT pg_sleep(60)'))
    const queued = failureOf(database.query('SELECT 1'))
    const stopping = database.stop(clock.elapsed() + 500)
    await clock.advance(500)
    await stopping
    assert.equal((await running).code, 'E_DATABASE_CLOSED')
    assert.equal((await queued).code, 'E_DATABASE_CLOSED')
  })

  it('starts and stops in any order', async () => {
    await stressLifecycle(createDatabase({ url, min: 2, max: 4 }))
  })

  it('opens as the user, with the settings and the role that were asked for', async () => {
    const role = `reader_${process.pid}`
    await withDatabase({ min: 1, max: 1 }, async (admin) => {
      await admin.query(`CREATE ROLE ${role}`)
      await withDatabase(
        { role, applicationName: 'shop front', statementTimeout: '7s', transactionTimeout: '9s', min: 1, max: 1 },
        async (database) => {
          const { rows } = await database.query(
            "SELECT current_user::text AS role, current_setting('application_name') AS app, current_setting('statement_timeout') AS statement, current_setting('idle_in_transaction_session_timeout') AS transaction",
          )
          assert.deepEqual(rows, [{ role, app: 'shop front', statement: '7s', transaction: '9s' }])
          await assert.rejects(database.query('CREATE TABLE public.forbidden (id int)'), { code: 'E_QUERY' })
        },
      )
      await admin.query(`DROP ROLE ${role}`)
    })
  })

  it('asks for the password at each connection', async () => {
    const { password } = new URL(url)
    const bare = new URL(url)
    bare.password = ''
    let asked = 0
    const fresh = async () => {
      asked++
      return decodeURIComponent(password)
    }
    const database = createDatabase({ url: bare.href, password: fresh, min: 2, max: 2 })
    await database.start()
    await until(() => database.stats().primary.open === 2)
    assert.ok(password === '' || asked === 2)
    await database.stop()
  })
})

describe('a database that cannot be reached', () => {
  const outcome = async (options: DatabaseOptions) => failureOf(createDatabase(options).start())

  it('fails at its start, naming host and port and no secret', async () => {
    const error = await outcome({ url: 'postgres://app:hunter2@127.0.0.1:1/shop' })
    assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
    assert.match(error.message, /127\.0\.0\.1:1: .*ECONNREFUSED.*; is it running/)
    assert.doesNotMatch(JSON.stringify(error) + error.stack, /hunter2/)
  })

  it('fails with the way out when the database does not exist', async () => {
    const wrong = new URL(await testServerUrl())
    wrong.pathname = '/no_such_database'
    const error = await outcome({ url: wrong.href })
    assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
    assert.match(error.message, /no_such_database.*create the database/)
  })

  it('fails in time when nobody answers', async () => {
    const { createServer } = await import('node:net')
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const { port } = silent.address() as { port: number }
    const error = await outcome({ url: `postgres://127.0.0.1:${port}/shop`, connectTimeout: 50 })
    assert.equal(error.code, 'E_DATABASE_UNAVAILABLE')
    silent.close()
  })

  it('fails when its password cannot be had, and may be started again', async () => {
    const url = await testServerUrl()
    let vault: 'sealed' | 'open' = 'sealed'
    const password = () => {
      if (vault === 'sealed') throw new Error('the vault is sealed')
      return decodeURIComponent(new URL(url).password)
    }
    const bare = new URL(url)
    bare.password = ''
    const database = createDatabase({ url: bare.href, password, min: 1 })
    if (new URL(url).password !== '') assert.match((await failureOf(database.start())).message, /the vault is sealed/)
    vault = 'open'
    await database.start()
    await database.stop()
  })
})
