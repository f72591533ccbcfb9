import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable, Writable } from 'node:stream'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type Database, hasSqlState } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { failureOf, until, untilRuns } from './until.ts'

const ROWS = 100_000

function* lines(count: number): Generator<string> {
  for (let id = 1; id <= count; id++) yield `${id}\tname "${id}" \\\\ ü\n`
}

async function collect(write: (sink: Writable) => Promise<number>): Promise<{ text: string; rows: number }> {
  const sink = new PassThrough()
  const chunks: Buffer[] = []
  sink.on('data', (chunk: Buffer) => void chunks.push(chunk))
  const rows = await write(sink)
  return { text: Buffer.concat(chunks).toString(), rows }
}

describe('COPY', () => {
  let test: TestSchema
  let database: Database
  let table: string
  before(async () => {
    test = await createTestSchema({ pool: { statementTimeout: '5s', min: 2, max: 2 } })
    ;({ database } = test)
    table = `${test.schema}.item`
    await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, name text)`)
  })
  beforeEach(async () => void (await database.query(`TRUNCATE ${table}`)))
  after(() => test.close())

  const count = async () => (await database.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]!.n
  const isAtRest = () => database.stats().primary.idle === database.stats().primary.open
  const endless = async function* () {
    for (let id = 1; ; id++) yield `${id}\tx\n`
  }

  it(`brings ${ROWS} rows in and the same ones out`, async () => {
    assert.equal(await database.copyIn(`COPY ${table} FROM STDIN`, Readable.from(lines(ROWS))), ROWS)
    assert.equal(await count(), ROWS)
    const { text, rows } = await collect((sink) =>
      database.copyOut(`COPY (SELECT * FROM ${table} ORDER BY id) TO STDOUT`, sink),
    )
    assert.equal(rows, ROWS)
    assert.ok(text === [...lines(ROWS)].join(''), 'what came out is not what went in')
  })

  it('takes text and bytes of any size, and nothing at all', async () => {
    const mixed = async function* () {
      yield '1\ton'
      yield Buffer.from('e\n2\t')
      yield `${'x'.repeat(300_000)}\n`
      yield ''
      yield new Uint8Array(Buffer.from('3\tthree\n'))
    }
    assert.equal(await database.copyIn(`COPY ${table} FROM STDIN`, mixed()), 3)
    assert.equal(await database.copyIn(`COPY ${table} FROM STDIN`, Readable.from([])), 0)
    assert.equal((await collect((sink) => database.copyOut(`COPY (SELECT 1 WHERE false) TO STDOUT`, sink))).rows, 0)
  })

  it('within a transaction is done whole or not at all, and lifts the statement timeout for itself only', async () => {
    await database.transaction(async (tx) => {
      assert.equal(await tx.copyIn(`COPY ${table} FROM STDIN`, Readable.from(lines(10))), 10)
      assert.deepEqual((await tx.query("SELECT current_setting('statement_timeout') AS set")).rows, [{ set: '5s' }])
      assert.equal((await collect((sink) => tx.copyOut(`COPY ${table} TO STDOUT`, sink))).rows, 10)
    })
    const failing = database.transaction(async (tx) => {
      await tx.query(`DELETE FROM ${table}`)
      await tx.copyIn(`COPY ${table} FROM STDIN`, Readable.from(lines(5)))
      throw new Error('no')
    })
    await assert.rejects(failing, /no/)
    assert.equal(await count(), 10)
  })

  it('of a bad row fails with the reason, and the connection serves the next', async () => {
    const error = await failureOf(
      database.copyIn(`COPY ${table} FROM STDIN`, Readable.from(['1\tone\n', 'two\ttwo\n', ...lines(ROWS)])),
    )
    assert.equal(error.code, 'E_QUERY')
    assert.ok(hasSqlState(error, '22P02'))
    assert.equal(await count(), 0)
    await until(isAtRest)
  })

  it('of a wrong statement fails with the reason', async () => {
    assert.ok(hasSqlState(await failureOf(database.copyIn('COPY no_such FROM STDIN', Readable.from(['1\n']))), '42P01'))
    assert.ok(hasSqlState(await failureOf(database.copyOut('COPY no_such TO STDOUT', new PassThrough())), '42P01'))
    assert.match((await failureOf(database.query(`COPY ${table} FROM STDIN`))).message, /use copyIn/)
    assert.match((await failureOf(database.query('COPY (SELECT 1) TO STDOUT'))).message, /use copyOut/)
    assert.equal(await count(), 0)
    await until(isAtRest)
  })

  it('whose source fails brings nothing in, and fails with the same', async () => {
    const reason = new Error('the file is damaged')
    const damaged = async function* () {
      yield* lines(1_000)
      throw reason
    }
    assert.equal(await failureOf(database.copyIn(`COPY ${table} FROM STDIN`, damaged())), reason)
    assert.equal(await count(), 0)
    await until(isAtRest)
  })

  it('whose sink fails ends on the server, and fails with the same', async () => {
    const reason = new Error('the disk is full')
    const full = new Writable({ write: (_chunk, _encoding, done) => done(reason) })
    const error = await failureOf(database.copyOut('COPY (SELECT generate_series(1, 10000000)) TO STDOUT', full))
    assert.equal(error, reason)
    assert.equal((await database.query('SELECT 1')).rows.length, 1)
    await until(isAtRest)
  })

  it('in aborted by its caller brings nothing in', async () => {
    const controller = new AbortController()
    const copying = failureOf(
      database.copyIn(`COPY ${table} FROM STDIN /* abort_in */`, endless(), { signal: controller.signal }),
    )
    await untilRuns(database, 'abort_in')
    controller.abort()
    assert.equal((await copying).code, 'E_QUERY_CANCELLED')
    await until(isAtRest)
    assert.equal(await count(), 0)
  })

  it('out aborted by its caller ends on the server', async () => {
    const controller = new AbortController()
    const sink = new PassThrough()
    const copying = failureOf(
      database.copyOut('COPY (SELECT generate_series(1, 10000000) /* abort_out */) TO STDOUT', sink, {
        signal: controller.signal,
      }),
    )
    await once(sink, 'readable')
    controller.abort()
    assert.equal((await copying).code, 'E_QUERY_CANCELLED')
    await until(async () => !(await running('abort_out')))
    await until(isAtRest)
  })

  const running = async (text: string) =>
    (
      await database.query(
        'SELECT 1 FROM pg_stat_activity WHERE position($1 in query) > 0 AND pid <> pg_backend_pid() AND state <> $2',
        [text, 'idle'],
      )
    ).rows.length > 0

  it('that takes too long ends', async () => {
    const error = await failureOf(database.copyIn(`COPY ${table} FROM STDIN`, endless(), { timeout: 100 }))
    assert.equal(error.code, 'E_DATABASE_TIMEOUT')
    await until(isAtRest)
    assert.equal(await count(), 0)
  })

  it('out waits for a slow sink', async () => {
    let held = 0
    const { promise: goOn, resolve } = Promise.withResolvers<void>()
    const slow = new Writable({
      highWaterMark: 16_384,
      write(chunk: Buffer, _encoding, done) {
        held += chunk.length
        void goOn.then(() => done())
      },
    })
    const copying = database.copyOut('COPY (SELECT generate_series(1, 1000000) /* slow_sink */) TO STDOUT', slow)
    // The server waits to write: its buffers and ours are full, far from all that there is.
    await until(
      async () =>
        (
          await database.query(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'ClientWrite' AND position('slow_sink' in query) > 0",
          )
        ).rows.length > 0,
    )
    assert.ok(held < 1_000_000, `${held} bytes were taken`)
    resolve()
    assert.equal(await copying, 1_000_000)
  })

  it('in waits for a slow server', async () => {
    let made = 0
    const source = async function* () {
      for (let id = 1; id <= 50_000; id++) {
        made++
        yield `${id}\t${'x'.repeat(1_000)}\n`
      }
    }
    await database.transaction(async (tx) => {
      await tx.query(`LOCK TABLE ${table} IN EXCLUSIVE MODE`)
      const copying = database.copyIn(`COPY ${table} FROM STDIN /* slow_server */`, source())
      const waiting = 'SELECT 1 FROM pg_locks WHERE NOT granted AND relation = $1::text::regclass'
      await until(async () => (await tx.query(waiting, [table])).rows.length > 0)
      assert.ok(made < 50_000, `${made} rows were made`)
      void copying.catch(() => {})
    })
    await until(async () => (await count()) === 50_000)
  })
})
