import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { listen, type NoticeEvent, notice } from '@tailwater/core'
import { createDatabase, type DatabaseOptions } from '@tailwater/postgres'
import { startTestPostgres, type TestPostgres } from '@tailwater/postgres/testing'
import { failureOf } from './until.ts'

describe('the connection budget', () => {
  let server: TestPostgres
  before(async () => {
    server = await startTestPostgres({ maxConnections: 30, settings: { superuser_reserved_connections: 3 } })
  })
  after(() => server.close())

  async function notices(
    options: DatabaseOptions,
    body: (stats: { max: number; min: number }) => void = () => {},
  ): Promise<NoticeEvent[]> {
    const heard: NoticeEvent[] = []
    const stop = listen(notice, (event) => void heard.push(event))
    const database = createDatabase({ url: server.url, ...options })
    await database.start()
    body(database.stats().primary)
    await database.stop()
    stop()
    return heard
  }

  it('is printed at start, with what the server grants', async () => {
    const [first, ...others] = await notices({ min: 1, max: 4, budget: 6 })
    assert.equal(first?.level, 'info')
    assert.match(
      first.message,
      /^at most 6 connections: pool 4 \(1 kept warm\), sessions 2\. 127\.0\.0\.1:\d+ grants 27, \d+ are open\.$/,
    )
    assert.deepEqual(others, [])
  })

  it('that was not given is lowered to what the server grants', async () => {
    const heard = await notices({}, ({ max, min }) => assert.deepEqual({ max, min }, { max: 25, min: 10 }))
    assert.match(heard[0]!.message, /^at most 27 connections: pool 25 \(10 kept warm\), sessions 2\./)
  })

  it('lowers a maximum that the server cannot grant, with a warning', async () => {
    const heard = await notices({ max: 40 }, ({ max }) => assert.equal(max, 25))
    assert.ok(
      heard.some(({ level, message }) => level === 'warn' && /max 40 was lowered to 25: .* grants 27/.test(message)),
    )
  })

  it('that the server cannot keep is refused at start, with the numbers', async () => {
    const database = createDatabase({ url: server.url, budget: 60 })
    const error = await failureOf(database.start())
    assert.equal(error.code, 'E_CONNECTION_BUDGET')
    assert.match(
      error.message,
      /budget of 60 connections puts 60 \(pool 54, sessions 6\) on 127\.0\.0\.1:\d+, which grants 27/,
    )
    await assert.rejects(database.query('SELECT 1'), { code: 'E_DATABASE_CLOSED' })
  })

  it('warns when others hold what it counts on', async () => {
    const other = createDatabase({ url: server.url, min: 10, max: 10, budget: 12 })
    await other.start()
    // Ten transactions at once: none ends before all have a connection, however soon the pool opens them.
    let begun = 0
    const all = Promise.withResolvers<void>()
    const hold = async () => {
      if (++begun === 10) all.resolve()
      await all.promise
    }
    await Promise.all(Array.from({ length: 10 }, () => other.transaction(hold)))
    const heard = await notices({ min: 1, max: 20, budget: 22 })
    await other.stop()
    assert.ok(
      heard.some(
        ({ level, message }) =>
          level === 'warn' && /has \d+ connections free of 27, and this process may open 22/.test(message),
      ),
      JSON.stringify(heard),
    )
  })
})
