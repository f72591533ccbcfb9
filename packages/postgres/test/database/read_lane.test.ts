import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type DatabaseQueryEvent, databaseQuery, listen } from '@tailwater/core'
import { type Database, hasSqlState, type Queryable, type QueryOptions, statement } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { failureOf } from './until.ts'

/** Which transaction of which backend gave the answer. */
interface Answer {
  n: number
  pid: number
  began: string
}

const BEGAN = 'pg_backend_pid() AS pid, now()::text AS began'
const CONNECTIONS = 4
const MANY = 200

describe('quick reads', { timeout: 60_000 }, () => {
  let test: TestSchema
  let database: Database
  before(async () => {
    test = await createTestSchema({ pool: { min: CONNECTIONS, max: CONNECTIONS } })
    ;({ database } = test)
  })
  after(() => test.close())

  const echo = statement('lane_echo', `SELECT $1::int AS n, ${BEGAN}`)
  const numbers = Array.from({ length: MANY }, (_, n) => n)

  /** Asks all at once. */
  function askAll(on: Queryable, asked = echo, options?: QueryOptions): Promise<Answer[]> {
    return Promise.all(numbers.map(async (n) => (await on.query<Answer>(asked, [n], options)).rows[0]!))
  }

  /** Runs a statement on every connection, so that each knows it and its pace is known. */
  async function acquaint(asked: ReturnType<typeof statement>, value: number): Promise<void> {
    const held = Array.from({ length: CONNECTIONS }, () => database.transaction((tx) => tx.query(asked, [value])))
    await Promise.all(held)
    for (let time = 0; time < 50; time++) await database.reader.query(asked, [value])
  }

  const transactionsOf = (answers: readonly Answer[]) =>
    new Set(answers.map(({ pid, began }) => `${pid} ${began}`)).size

  it('travel together when they come faster than they are answered, and each has its own answer', async () => {
    await acquaint(echo, 0)
    const answers = await askAll(database.reader)
    assert.deepEqual(
      answers.map(({ n }) => n),
      numbers,
    )
    assert.ok(transactionsOf(answers) < MANY / 2, `${transactionsOf(answers)} transactions for ${MANY} reads`)
  })

  it('of one turn travel together from the first on, though connections are free', async () => {
    await acquaint(echo, 0)
    const answers = await askAll(database.reader)
    const first = answers.filter(({ pid, began }) => pid === answers[0]!.pid && began === answers[0]!.began)
    assert.ok(first.length > 1, 'the first travelled alone')
  })

  it('asked for right before the end are answered', async () => {
    const ended = await createTestSchema({ pool: { min: 1, max: 1 } })
    await ended.database.reader.query(echo, [0])
    const asked = askAll(ended.database.reader)
    await ended.close()
    assert.equal((await asked).length, MANY)
  })

  it('travel alone when each is awaited before the next', async () => {
    await acquaint(echo, 0)
    const answers: Answer[] = []
    for (const n of numbers) answers.push((await database.reader.query<Answer>(echo, [n])).rows[0]!)
    assert.equal(transactionsOf(answers), MANY)
  })

  it('travel alone when they have a signal or a limit of their own', async () => {
    await acquaint(echo, 0)
    assert.equal(transactionsOf(await askAll(database.reader, echo, { timeout: 10_000 })), MANY)
  })

  it('that fail among others fail alone', async () => {
    const quotient = statement('lane_quotient', `SELECT 1000 / $1::int AS n, ${BEGAN}`)
    await acquaint(quotient, 1)
    const settled = await Promise.allSettled(numbers.map((n) => database.reader.query<Answer>(quotient, [n % 20])))
    for (const [n, outcome] of settled.entries())
      if (outcome.status === 'fulfilled') assert.equal(outcome.value.rows[0]!.n, Math.trunc(1_000 / (n % 20)))
      else {
        assert.equal(n % 20, 0)
        assert.ok(hasSqlState(outcome.reason, '22012'))
      }
    assert.equal(settled.filter(({ status }) => status === 'rejected').length, MANY / 20)
  })

  it('with a value that cannot be written fail alone', async () => {
    await acquaint(echo, 0)
    const good = askAll(database.reader)
    const bad = failureOf(database.reader.query(echo, [{ toPostgres: () => assert.fail('unwritable') }]))
    assert.equal((await bad).code, 'E_OPTIONS')
    assert.equal((await good).length, MANY)
  })

  it('survive the loss of the connections that carry them', async () => {
    await acquaint(echo, 0)
    const pids = [...new Set((await askAll(database.reader)).map(({ pid }) => pid))]
    const asked = askAll(database.reader)
    // Few carry reads, so that this finds a connection free and meets them under way.
    const { rows } = await database.query(
      'SELECT pg_terminate_backend(pid) AS killed FROM unnest($1::int[]) pid WHERE pid <> pg_backend_pid()',
      [pids],
    )
    assert.ok(rows.some(({ killed }) => killed))
    const answers = await asked
    assert.deepEqual(
      answers.map(({ n }) => n),
      numbers,
    )
  })

  it('see the columns of a table that has changed', async () => {
    await database.query(`CREATE TABLE ${test.schema}.thing (id int)`)
    await database.query(`INSERT INTO ${test.schema}.thing VALUES (7)`)
    const all = statement('lane_all', `SELECT t.*, $1::int AS n, ${BEGAN} FROM ${test.schema}.thing t`)
    await acquaint(all, 0)
    await database.query(`ALTER TABLE ${test.schema}.thing ADD COLUMN colour text DEFAULT 'red'`)
    const answers = await askAll(database.reader, all)
    assert.deepEqual(
      answers.map((answer) => [(answer as Answer & { colour: string }).colour, answer.n]),
      numbers.map((n) => ['red', n]),
    )
  })

  it('that have become slow travel alone', async () => {
    const nap = statement('lane_nap', `SELECT $1::int AS n, ${BEGAN} FROM pg_sleep(0.03)`)
    await database.reader.query(nap, [0])
    const answers = await Promise.all(
      numbers.slice(0, 20).map(async (n) => (await database.reader.query<Answer>(nap, [n])).rows[0]!),
    )
    assert.equal(transactionsOf(answers), 20)
  })

  it('that wait count as waiting, and each is told of by an event of its own', async () => {
    await acquaint(echo, 0)
    const events: DatabaseQueryEvent[] = []
    const cancel = listen(databaseQuery, (event) => void (event.name === echo.name && events.push({ ...event })))
    const asked = askAll(database.reader)
    assert.ok(database.stats().primary.waiting > 0)
    await asked
    cancel()
    assert.equal(database.stats().primary.waiting, 0)
    assert.equal(events.length, MANY)
    assert.ok(events.every(({ rows, ms, error }) => rows === 1 && ms > 0 && error === undefined))
  })

  it('never share a transaction with statements that were not given as reads', async () => {
    await acquaint(echo, 0)
    assert.equal(transactionsOf(await askAll(database)), MANY)
  })
})
