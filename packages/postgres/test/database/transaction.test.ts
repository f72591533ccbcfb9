import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type BackgroundErrorEvent, backgroundError, listen } from '@tailwater/core'
import { type Database, hasSqlState, type Transaction } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { countRunning, failureOf, until, untilRuns } from './until.ts'

// The limit of time is for a cancellation that never comes.
describe('a transaction', { timeout: 60_000 }, () => {
  let test: TestSchema
  let database: Database
  let table: string
  before(async () => {
    test = await createTestSchema({ pool: { statementTimeout: '10m' } })
    ;({ database } = test)
    table = `${test.schema}.account`
    await database.query(
      `CREATE TABLE ${table} (id int PRIMARY KEY, balance int NOT NULL, UNIQUE (balance) DEFERRABLE INITIALLY DEFERRED)`,
    )
  })
  beforeEach(
    async () => void (await database.query(`TRUNCATE ${table}; INSERT INTO ${table} VALUES (1, 100), (2, 200)`)),
  )
  after(() => test.close())

  const balances = async () =>
    (await database.query<{ balance: number }>(`SELECT balance FROM ${table} ORDER BY id`)).rows.map(
      ({ balance }) => balance,
    )

  it('commits when its body resolves, and gives what it resolved to', async () => {
    const result = await database.transaction(async (tx) => {
      await tx.query(`UPDATE ${table} SET balance = balance + 1`)
      assert.deepEqual(await balances(), [100, 200])
      return 'done'
    })
    assert.equal(result, 'done')
    assert.deepEqual(await balances(), [101, 201])
  })

  it('rolls back when its body rejects, and rejects with the same', async () => {
    const reason = new Error('changed my mind')
    const failing = database.transaction(async (tx) => {
      await tx.query(`UPDATE ${table} SET balance = 0 WHERE id = 1`)
      throw reason
    })
    assert.equal(await failureOf(failing), reason)
    assert.deepEqual(await balances(), [100, 200])
  })

  it('rolls back when its body throws before its first await', async () => {
    const body = (() => {
      throw new Error('at once')
    }) as unknown as () => Promise<void>
    await assert.rejects(database.transaction(body), /at once/)
    assert.equal(database.stats().primary.open - database.stats().primary.idle, 0)
  })

  it('does not resolve when a failed statement has been swallowed', async () => {
    const swallowing = database.transaction(async (tx) => {
      await tx.query(`UPDATE ${table} SET balance = 0 WHERE id = 1`)
      await tx.query('SELECT nothing').catch(() => {})
    })
    const error = await failureOf(swallowing)
    assert.equal(error.code, 'E_TRANSACTION_ROLLED_BACK')
    assert.ok(hasSqlState(error, '42703'))
    assert.deepEqual(await balances(), [100, 200])
  })

  it('fails with the complaint of a constraint that is checked at COMMIT', async () => {
    const error = await failureOf(database.transaction((tx) => tx.query(`UPDATE ${table} SET balance = 7`)))
    assert.ok(hasSqlState(error, '23505'))
    assert.deepEqual(await balances(), [100, 200])
  })

  it('sees one state of the data when it asks for repeatable reads, and may not write when it is read only', async () => {
    await database.transaction(
      async (tx) => {
        const sum = () => tx.query(`SELECT sum(balance) AS sum FROM ${table}`)
        const before = await sum()
        await database.query(`UPDATE ${table} SET balance = balance + 10`)
        assert.deepEqual(await sum(), before)
        await assert.rejects(
          tx.savepoint(() => tx.query(`UPDATE ${table} SET balance = 0`)),
          (error) => hasSqlState(error, '25006'),
        )
      },
      { isolation: 'repeatable read', readOnly: true },
    )
  })

  it('refuses an isolation that there is not', async () => {
    const options = { isolation: 'serialisable' as 'serializable' }
    await assert.rejects(
      database.transaction(async () => {}, options),
      { code: 'E_OPTIONS', message: /one of read committed/ },
    )
  })

  it('goes on after a savepoint that failed, without what it did', async () => {
    await database.transaction(async (tx) => {
      await tx.query(`UPDATE ${table} SET balance = 101 WHERE id = 1`)
      const failing = tx.savepoint(async () => {
        await tx.query(`UPDATE ${table} SET balance = 202 WHERE id = 2`)
        await tx.savepoint(() => tx.query('SELECT 1'))
        await tx.query('SELECT nothing')
      })
      await assert.rejects(failing, { code: 'E_QUERY' })
      assert.equal(await tx.savepoint(async () => 'kept'), 'kept')
    })
    assert.deepEqual(await balances(), [101, 200])
  })

  it('runs what is to follow the commit after it, in order, and not after a rollback', async () => {
    const done: string[] = []
    await database.transaction(async (tx) => {
      tx.afterCommit(async () => void done.push(`first sees ${await balances()}`))
      tx.afterCommit(() => void done.push('second'))
      await tx.query(`UPDATE ${table} SET balance = 1 WHERE id = 1`)
      await tx
        .savepoint(async () => {
          tx.afterCommit(() => void done.push('never'))
          throw new Error('back')
        })
        .catch(() => {})
    })
    assert.deepEqual(done, ['first sees 1,200', 'second'])
    const failing = database.transaction(async (tx) => {
      tx.afterCommit(() => void done.push('never'))
      throw new Error('back')
    })
    await assert.rejects(failing)
    assert.equal(done.length, 2)
  })

  it('publishes the failure of what follows the commit, and resolves', async () => {
    const faults: BackgroundErrorEvent[] = []
    const stop = listen(backgroundError, (event) => void faults.push(event))
    await database.transaction(async (tx) => {
      tx.afterCommit(() => {
        throw new Error('no mail today')
      })
    })
    stop()
    assert.deepEqual(
      faults.map(({ source, error }) => `${source}: ${error.message}`),
      ['database.afterCommit: no mail today'],
    )
  })

  it('refuses statements after its end', async () => {
    let kept: Transaction | undefined
    await database.transaction(async (tx) => {
      kept = tx
    })
    await assert.rejects(async () => kept!.query('SELECT 1'), { code: 'E_TRANSACTION_ENDED' })
  })

  it('runs statements that were started together one after the other', async () => {
    const answers = await database.transaction((tx) =>
      Promise.all([1, 2, 3].map((i) => tx.query<{ i: number }>('SELECT $1::int AS i', [i]))),
    )
    assert.deepEqual(
      answers.map(({ rows }) => rows[0]!.i),
      [1, 2, 3],
    )
  })

  it('is run again when the server rolls it back for another, until both have happened', async () => {
    let runs = 0
    let arrived = 0
    const bothRead = Promise.withResolvers<void>()
    const addToOther = (id: number) =>
      database.transaction(
        async (tx) => {
          runs++
          const { rows } = await tx.query<{ sum: number }>(`SELECT sum(balance)::int AS sum FROM ${table}`)
          if (++arrived >= 2) bothRead.resolve()
          await bothRead.promise
          await tx.query(`UPDATE ${table} SET balance = $1 WHERE id = $2`, [rows[0]!.sum, id])
        },
        { isolation: 'serializable' },
      )
    await Promise.all([addToOther(1), addToOther(2)])
    assert.ok(runs >= 3, `${runs} runs`)
    assert.ok(
      [[300, 500].join(), [500, 300].join(), [300, 400].join(), [400, 300].join()].includes((await balances()).join()),
      String(await balances()),
    )
  })

  it('is not run again unless that is wanted or usual for its isolation', async () => {
    let runs = 0
    const failing = (options: object) =>
      database.transaction(async (tx) => {
        runs++
        await tx.query("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$")
      }, options)
    assert.ok(hasSqlState(await failureOf(failing({})), '40001'))
    assert.equal(runs, 1)
    await failureOf(failing({ retries: 2 }))
    assert.equal(runs, 1 + 3)
    await failureOf(failing({ isolation: 'repeatable read' }))
    assert.equal(runs, 1 + 3 + 4)
    await failureOf(failing({ isolation: 'serializable', retries: 0 }))
    assert.equal(runs, 1 + 3 + 4 + 1)
  })

  it('of a pair that deadlocks is run again, and both happen', async () => {
    let arrived = 0
    const bothHold = Promise.withResolvers<void>()
    const move = (from: number, to: number) =>
      database.transaction(
        async (tx) => {
          await tx.query(`UPDATE ${table} SET balance = balance - 1 WHERE id = $1`, [from])
          if (++arrived >= 2) bothHold.resolve()
          await bothHold.promise
          await tx.query(`UPDATE ${table} SET balance = balance + 1 WHERE id = $1`, [to])
        },
        { retries: 3 },
      )
    await Promise.all([move(1, 2), move(2, 1)])
    assert.deepEqual(await balances(), [100, 200])
  })

  it('aborted by its caller ends at once, on the server too, and its connection serves the next', async () => {
    const controller = new AbortController()
    const sleeping = database.transaction(
      async (tx) => {
        await tx.query(`UPDATE ${table} SET balance = 0 WHERE id = 1`)
        await tx.query('SELECT pg_sleep(60) AS abort_transaction')
      },
      { signal: controller.signal, retries: 3 },
    )
    await untilRuns(database, 'abort_transaction')
    controller.abort()
    assert.equal((await failureOf(sleeping)).code, 'E_QUERY_CANCELLED')
    await until(async () => (await countRunning(database, 'abort_transaction')) === 0)
    await database.query(`UPDATE ${table} SET balance = balance + 1 WHERE id = 1`)
    assert.deepEqual(await balances(), [101, 200])
    const { open, idle } = database.stats().primary
    await until(() => database.stats().primary.idle === open)
    assert.ok(idle > 0)
  })

  it('whose body hangs elsewhere ends when its time is up, and gives its connection back', async () => {
    let kept: Transaction | undefined
    const hanging = database.transaction(
      async (tx) => {
        kept = tx
        await tx.query(`UPDATE ${table} SET balance = 0 WHERE id = 1`)
        await new Promise<void>(() => {})
      },
      { timeout: 50 },
    )
    const error = await failureOf(hanging)
    assert.equal(error.code, 'E_DATABASE_TIMEOUT')
    assert.match(error.message, /50 ms and was rolled back/)
    await assert.rejects(async () => kept!.query('SELECT 1'), { code: 'E_DATABASE_TIMEOUT' })
    await until(() => database.stats().primary.idle === database.stats().primary.open)
    assert.deepEqual(await balances(), [100, 200])
  })

  it('aborted before it begins never does', async () => {
    let ran = false
    const never = database.transaction(
      async () => {
        ran = true
      },
      { signal: AbortSignal.abort() },
    )
    assert.equal((await failureOf(never)).code, 'E_QUERY_CANCELLED')
    assert.equal(ran, false)
  })
})
