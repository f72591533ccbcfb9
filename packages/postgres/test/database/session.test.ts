import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type BackgroundErrorEvent, backgroundError, listen } from '@tailwater/core'
import { createDatabase, type Database } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { failureOf } from './until.ts'

describe('a session', () => {
  let test: TestSchema
  let database: Database
  before(async () => {
    test = await createTestSchema({ pool: { max: 2, budget: 4 } })
    ;({ database } = test)
  })
  after(() => test.close())

  it('hears what is notified, in order', async () => {
    const session = await database.session()
    const heard: string[] = []
    const all = Promise.withResolvers<void>()
    session.onNotification((channel, payload) => {
      heard.push(`${channel}: ${payload}`)
      if (payload === 'third') all.resolve()
    })
    await session.query('LISTEN news')
    await session.query('LISTEN weather')
    await database.query("NOTIFY news, 'first'")
    await database.query('NOTIFY weather')
    await database.query("NOTIFY news, 'third'")
    await all.promise
    assert.deepEqual(heard, ['news: first', 'weather: ', 'news: third'])
    await session.release()
  })

  it('survives a handler that fails', async () => {
    const faults: BackgroundErrorEvent[] = []
    const heard = Promise.withResolvers<void>()
    const stop = listen(backgroundError, (event) => {
      faults.push(event)
      heard.resolve()
    })
    const session = await database.session()
    session.onNotification(() => {
      throw new Error('deaf')
    })
    await session.query('LISTEN news')
    await database.query('NOTIFY news')
    await heard.promise
    stop()
    assert.equal(faults[0]?.error.message, 'deaf')
    assert.equal((await session.query('SELECT 1')).rows.length, 1)
    await session.release()
  })

  it('keeps what belongs to a connection, and takes it along when released', async () => {
    const session = await database.session()
    await session.query('CREATE TEMPORARY TABLE mine (id int)')
    await session.query('SELECT pg_advisory_lock(4711)')
    assert.equal((await session.query('SELECT * FROM mine')).rows.length, 0)
    assert.deepEqual((await database.query('SELECT pg_try_advisory_lock(4711) AS free')).rows, [{ free: false }])
    await session.release()
    await session.closed
    const next = await database.session()
    assert.deepEqual((await next.query('SELECT pg_try_advisory_lock(4711) AS free')).rows, [{ free: true }])
    await next.release()
    await next.release()
  })

  it('has no statement timeout but that of a statement', async () => {
    const session = await database.session()
    assert.deepEqual((await session.query("SELECT current_setting('statement_timeout') AS set")).rows, [{ set: '0' }])
    await assert.rejects(session.query('SELECT pg_sleep(60)', [], { timeout: 20 }), { code: 'E_DATABASE_TIMEOUT' })
    assert.equal((await session.query('SELECT 1')).rows.length, 1)
    await session.release()
  })

  it('is counted in the budget, and refused beyond it with numbers', async () => {
    const sessions = await Promise.all([database.session(), database.session()])
    assert.equal(database.stats().sessions, 2)
    const error = await failureOf(database.session())
    assert.equal(error.code, 'E_CONNECTION_BUDGET')
    assert.match(error.message, /all its 2 sessions open \(of a budget of 4 connections\)/)
    await sessions[0]!.release()
    const another = await database.session()
    for (const session of [sessions[1]!, another]) await session.release()
    assert.equal(database.stats().sessions, 0)
  })

  it('is refused when released, when aborted, and when the database has stopped', async () => {
    const session = await database.session()
    await session.release()
    await assert.rejects(async () => session.query('SELECT 1'), { code: 'E_DATABASE_CLOSED' })
    await assert.rejects(database.session({ signal: AbortSignal.abort() }), { code: 'E_QUERY_CANCELLED' })
    const other = createDatabase({ url: test.url, min: 1, max: 1 })
    await assert.rejects(other.session(), { code: 'E_DATABASE_CLOSED' })
    await other.start()
    const left = await other.session()
    await other.stop()
    await left.closed
    await assert.rejects(other.session(), { code: 'E_DATABASE_CLOSED' })
  })
})
