import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Database, hasSqlState, statement } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { countRunning, failureOf, until, untilRuns } from './until.ts'

// The limit of time is for a cancellation that never comes.
describe('a statement', { timeout: 60_000 }, () => {
  let test: TestSchema
  let database: Database
  let schema: string
  before(async () => {
    test = await createTestSchema({ pool: { statementTimeout: '10m' } })
    ;({ database, schema } = test)
    await database.query(
      `CREATE TABLE ${schema}.item (id int PRIMARY KEY, sku text UNIQUE, stock int CHECK (stock >= 0))`,
    )
  })
  after(() => test.close())

  it('gives its rows and their count', async () => {
    assert.deepEqual(await database.query('SELECT $1::text AS a, 2 AS b', ['x']), {
      rows: [{ a: 'x', b: 2 }],
      rowCount: 1,
      command: 'SELECT',
    })
    const { rowCount } = await database.query(`INSERT INTO ${schema}.item VALUES (1, 'a', 1), (2, 'b', 2)`)
    assert.equal(rowCount, 2)
  })

  it('of several texts gives the rows of the last', async () => {
    const { rows } = await database.query('SELECT 1 AS a; SELECT 2 AS b, 3 AS c')
    assert.deepEqual(rows, [{ b: 2, c: 3 }])
  })

  it('without rows gives none', async () => {
    assert.deepEqual((await database.query('SELECT 1 AS a WHERE false')).rows, [])
    assert.deepEqual((await database.query('')).rows, [])
  })

  it('reads values exactly: int8 as a number while that is exact, dates and numerics as text', async () => {
    const { rows } =
      await database.query(`SELECT 9007199254740991::int8 AS exact, 9007199254740993::int8 AS beyond, '{1,NULL,9007199254740993}'::int8[] AS many,
      0.10::numeric AS price, '2026-03-29'::date AS day, '{2026-03-29}'::date[] AS days, '2026-03-29 02:30:00'::timestamp AS local, '2026-03-29T01:30:00Z'::timestamptz AS instant, '{"a":[1]}'::jsonb AS doc, NULL AS nothing`)
    assert.deepEqual(rows, [
      {
        exact: 9007199254740991,
        beyond: '9007199254740993',
        many: [1, null, '9007199254740993'],
        price: '0.10',
        day: '2026-03-29',
        days: ['2026-03-29'],
        local: '2026-03-29 02:30:00',
        instant: new Date('2026-03-29T01:30:00Z'),
        doc: { a: [1] },
        nothing: null,
      },
    ])
  })

  it('writes values of JavaScript', async () => {
    const when = new Date('2026-01-02T03:04:05.678Z')
    const { rows } = await database.query(
      'SELECT $1::int[] AS list, $2::jsonb AS doc, $3::timestamptz AS at, $4::bytea AS bytes, $5::text AS nothing, $6::bool AS yes',
      [[1, 2], { a: "it's" }, when, Buffer.from([0, 255]), undefined, true],
    )
    assert.deepEqual(rows[0], {
      list: [1, 2],
      doc: { a: "it's" },
      at: when,
      bytes: Buffer.from([0, 255]),
      nothing: null,
      yes: true,
    })
  })

  it('refuses a value that cannot be written, and the connection goes on', async () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    await assert.rejects(database.query('SELECT $1::jsonb', [circular]), { code: 'E_OPTIONS' })
    assert.equal((await database.query('SELECT 1 AS a')).rows.length, 1)
  })

  it('refuses more values than the protocol can count', async () => {
    await assert.rejects(database.query('SELECT 1', new Array(65_536).fill(1)), {
      code: 'E_OPTIONS',
      message: /65535 values/,
    })
  })

  it('that the server refuses says why, by SQLSTATE, constraint and table', async () => {
    const failing = database.query(`INSERT INTO ${schema}.item VALUES (1, 'z', 1)`)
    const error = await failureOf(failing)
    assert.ok(hasSqlState(error, '23505'))
    assert.ok(!hasSqlState(error, '23514'))
    const { code, details } = error
    assert.equal(code, 'E_QUERY')
    assert.deepEqual([details['sqlState'], details['constraint'], details['table']], ['23505', 'item_pkey', 'item'])
  })

  it('that the server refuses does not spread its values into what a logger prints', async () => {
    const error = await failureOf(database.query(`INSERT INTO ${schema}.item VALUES (3, 'a', 1)`))
    assert.doesNotMatch(JSON.stringify(error), /\(sku\)=\(a\)/)
    assert.match(String((error.cause as { detail?: string }).detail), /\(sku\)=\(a\)/)
  })

  it('that fails has a stack that leads to its caller', async () => {
    async function findTheCulprit() {
      await database.query('SELECT nothing')
    }
    const error = await failureOf(findTheCulprit())
    assert.match(String(error.stack), /findTheCulprit/)
  })

  it('with a name is prepared once per connection', async () => {
    const byId = statement('item-by-id', `SELECT sku FROM ${schema}.item WHERE id = $1`)
    for (const id of [1, 2]) assert.equal((await database.query(byId, [id])).rows.length, 1)
    await database.transaction(async (tx) => {
      await tx.query(byId, [1])
      await tx.query(byId, [2])
      const { rows } = await tx.query("SELECT 1 FROM pg_prepared_statements WHERE name = 'item-by-id'")
      assert.equal(rows.length, 1)
    })
  })

  it('with the name of another text is refused', async () => {
    const one = statement('ambiguous', 'SELECT 1 AS a')
    const other = statement('ambiguous', 'SELECT 2 AS a')
    await database.transaction(async (tx) => {
      await tx.query(one)
      await assert.rejects(tx.query(other), { code: 'E_OPTIONS', message: /named 'ambiguous'/ })
      assert.deepEqual((await tx.query(one)).rows, [{ a: 1 }])
    })
  })

  it('with a name survives a change of its columns', async () => {
    const all = statement('all-of-shape', `SELECT * FROM ${schema}.shape`)
    await database.query(`CREATE TABLE ${schema}.shape (a int); INSERT INTO ${schema}.shape VALUES (1)`)
    assert.deepEqual((await database.query(all)).rows, [{ a: 1 }])
    await database.query(`ALTER TABLE ${schema}.shape ADD b int DEFAULT 2`)
    assert.deepEqual((await database.query(all)).rows, [{ a: 1, b: 2 }])
    assert.deepEqual((await database.query(all)).rows, [{ a: 1, b: 2 }])
  })

  it('with a name survives the loss of all prepared statements', async () => {
    const one = statement('soon-forgotten', 'SELECT 1 AS a')
    for (let i = 0; i < 3; i++) {
      assert.deepEqual((await database.query(one)).rows, [{ a: 1 }])
      await database.query('DEALLOCATE ALL')
    }
  })

  it('with too long a name is refused when it is named', () => {
    assert.throws(() => statement('x'.repeat(64), 'SELECT 1'), { code: 'E_OPTIONS' })
  })

  it('aborted by its caller is cancelled on the server, and its connection serves the next', async () => {
    const controller = new AbortController()
    const sleeping = database.query('SELECT pg_sleep(60) AS abort_me', [], { signal: controller.signal })
    await untilRuns(database, 'abort_me')
    controller.abort(new Error('the reader left'))
    const error = await failureOf(sleeping)
    assert.equal(error.code, 'E_QUERY_CANCELLED')
    assert.match(String(error.cause), /the reader left/)
    await until(async () => (await countRunning(database, 'abort_me')) === 0)
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, i) => database.query<{ a: number }>('SELECT $1::int AS a', [i])),
    )
    assert.deepEqual(
      answers.map(({ rows }) => rows[0]!.a),
      Array.from({ length: 30 }, (_, i) => i),
    )
  })

  it('aborted before it is sent never reaches the server', async () => {
    const signal = AbortSignal.abort()
    await assert.rejects(database.query(`INSERT INTO ${schema}.item VALUES (99)`, [], { signal }), {
      code: 'E_QUERY_CANCELLED',
    })
    assert.equal((await database.query(`SELECT 1 FROM ${schema}.item WHERE id = 99`)).rows.length, 0)
  })

  it('that takes longer than its limit is cancelled on the server', async () => {
    await assert.rejects(database.query('SELECT pg_sleep(60) AS limit_me', [], { timeout: 50 }), {
      code: 'E_DATABASE_TIMEOUT',
      message: /50 ms/,
    })
    await until(async () => (await countRunning(database, 'limit_me')) === 0)
  })
})

describe('the statement timeout', () => {
  let test: TestSchema
  before(async () => {
    test = await createTestSchema({ pool: { statementTimeout: 100 } })
  })
  after(() => test.close())

  it('ends a statement', async () => {
    await assert.rejects(test.database.query('SELECT pg_sleep(60)'), { code: 'E_DATABASE_TIMEOUT', message: /100 ms/ })
  })

  it('gives way to a longer limit of one statement, and holds for the next', async () => {
    const { database } = test
    const set = "SELECT current_setting('statement_timeout') AS set"
    assert.equal((await database.query<{ set: string }>(set, [], { timeout: 5_000 })).rows[0]!.set, '5s')
    assert.equal((await database.query<{ set: string }>(set, [], { timeout: 0 })).rows[0]!.set, '0')
    const sets = await Promise.all(Array.from({ length: 10 }, () => database.query<{ set: string }>(set)))
    assert.deepEqual(new Set(sets.map(({ rows }) => rows[0]!.set)), new Set(['100ms']))
  })

  it('gives way in a transaction too', async () => {
    const set = "SELECT current_setting('statement_timeout') AS set"
    const ask = (timeout?: number, transaction?: number) =>
      test.database.transaction(
        async (tx) => {
          const first = (await tx.query<{ set: string }>(set, [], timeout === undefined ? undefined : { timeout }))
            .rows[0]!.set
          return [first, (await tx.query<{ set: string }>(set)).rows[0]!.set]
        },
        transaction === undefined ? {} : { timeout: transaction },
      )
    assert.deepEqual(await ask(), ['100ms', '100ms'])
    assert.deepEqual(await ask(7_000), ['7s', '100ms'])
    assert.deepEqual(await ask(undefined, 9_000), ['9s', '9s'])
  })
})
