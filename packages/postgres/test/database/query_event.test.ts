import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import { type Cancel, type DatabaseQueryEvent, databaseQuery, listen, runInContext } from '@tailwater/core'
import { asQueryable, type Database, statement } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { fingerprint } from '../../src/database/fingerprint.ts'

describe('the events of statements', () => {
  let test: TestSchema
  let database: Database
  let events: DatabaseQueryEvent[]
  let stop: Cancel
  before(async () => {
    test = await createTestSchema({ pool: { min: 1, max: 1 } })
    ;({ database } = test)
  })
  beforeEach(() => {
    events = []
    stop = listen(databaseQuery, (event) => void events.push(event))
  })
  afterEach(() => stop())
  after(() => test.close())

  it('tell text, name, fingerprint, rows and time, and never a value', async () => {
    await database.query(statement('event-one', 'SELECT $1::text AS a FROM generate_series(1, 3)'), ['a secret'])
    assert.equal(events.length, 1)
    const { ms, ...rest } = events[0]!
    assert.ok(ms >= 0 && ms < 60_000)
    assert.deepEqual(rest, {
      requestId: undefined,
      name: 'event-one',
      fingerprint: fingerprint('SELECT $1::text AS a FROM generate_series(1, 3)'),
      text: 'SELECT $1::text AS a FROM generate_series(1, 3)',
      rows: 3,
      target: 'primary',
      error: undefined,
    })
    assert.doesNotMatch(JSON.stringify(events), /secret/)
  })

  it('share a fingerprint when only constants differ', async () => {
    await database.query('SELECT 1 AS a WHERE 1 IN (1, 2)')
    await database.query('select 7 AS a where 1 in (3)')
    assert.equal(new Set(events.map((event) => event.fingerprint)).size, 1)
  })

  it('carry the SQLSTATE of a failure', async () => {
    await assert.rejects(database.query('SELECT nothing'))
    await assert.rejects(database.query('SELECT pg_sleep(60)', [], { timeout: 10 }))
    await database.query('SELECT 1')
    assert.deepEqual(
      events.map(({ error }) => error),
      ['42703', '57014', undefined],
    )
  })

  it('carry the request that asked, even for a statement that had to wait for a connection', async () => {
    const asked = ['a', 'b', 'c'].map((requestId) =>
      runInContext({ requestId }, () => database.query('SELECT pg_sleep(0.001)')),
    )
    await Promise.all(asked)
    assert.deepEqual(
      events.map(({ requestId }) => requestId),
      ['a', 'b', 'c'],
    )
  })

  it('tell of each step of a transaction, of COPY, of sessions, and of a port to elsewhere', async () => {
    await runInContext({ requestId: 'r' }, async () => {
      await database.transaction((tx) => tx.query('SELECT 1'))
      const sink = new PassThrough()
      sink.resume()
      await database.copyOut('COPY (SELECT 1 UNION SELECT 2) TO STDOUT', sink)
      const session = await database.session()
      await session.query('SELECT 2')
      await session.release()
      await asQueryable(database).query('SELECT 3')
    })
    assert.deepEqual(new Set(events.map(({ requestId }) => requestId)), new Set(['r']))
    const steps = events.map(({ text, rows }) => `${text.split(';')[0]} ${rows}`)
    assert.deepEqual(steps.slice(0, 3), ['BEGIN 0', 'SELECT 1 1', 'COMMIT 0'])
    assert.ok(steps.includes('COPY (SELECT 1 UNION SELECT 2) TO STDOUT 2'), String(steps))
    assert.ok(steps.includes('SELECT 2 1'))
    assert.ok(steps.includes('SELECT 3 1'))
  })

  it('are not made while nobody listens', async () => {
    stop()
    await runInContext({ requestId: 'unheard' }, () => database.query('SELECT 1'))
    assert.equal(events.length, 0)
  })
})
