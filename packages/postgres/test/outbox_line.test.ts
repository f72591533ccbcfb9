import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { type Queryable, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import pg from 'pg'
import { Line } from '../src/outbox/line.ts'
import { createSequencer } from '../src/outbox/sequencer.ts'
import { outboxSql } from '../src/outbox/sql.ts'

describe('putting rows in line', () => {
  let home: TestSchema
  let sql: ReturnType<typeof outboxSql>
  before(async () => {
    home = await createTestSchema({ modules: [tailwaterMigrations] })
    sql = outboxSql(home.schema)
  })
  after(() => home.close())
  beforeEach(() =>
    home.database.query(`TRUNCATE ${home.schema}.outbox; UPDATE ${home.schema}.outbox_trim SET sequence = 0`),
  )

  /** A sequencer whose calls are looked at. */
  function sequencer() {
    const lows: bigint[] = []
    const watched: Queryable = {
      query(text, values, options) {
        lows.push(BigInt(String(values?.[0])))
        return home.database.query(text, values, options)
      },
    }
    const line = new Line()
    const clock = new FakeClock()
    return { lows, line, clock, run: createSequencer(watched, sql, line, clock).run }
  }
  const append = (on: Pick<pg.Client, 'query'>, payload: string) =>
    on.query(sql.append.text, ['["t"]', JSON.stringify([payload]), '[null]', 'false'])
  const appendAlone = (payload: string) =>
    home.database.query(sql.append, ['["t"]', JSON.stringify([payload]), '[null]', 'false'])
  async function waiting(): Promise<number> {
    const { rows } = await home.database.query(`SELECT 1 FROM ${home.schema}.outbox WHERE sequence IS NULL`)
    return rows.length
  }
  /** Transactions of other tests on the server hold the limit back for a while; each round gives it another chance. */
  async function untilLowGrows({ lows, run }: ReturnType<typeof sequencer>): Promise<bigint> {
    const from = lows.at(-1) ?? 0n
    do {
      await appendAlone('filler')
      await run()
    } while (lows.at(-1)! <= from)
    return lows.at(-1)!
  }

  it('begins behind rows that are settled, and takes the next one', async () => {
    const one = sequencer()
    await untilLowGrows(one)
    await untilLowGrows(one)
    for (let i = 0; i < 20; i++) {
      await appendAlone(`row ${i}`)
      assert.equal(await one.run(), 1, `row ${i} was passed over`)
    }
    assert.equal(await waiting(), 0)
  })

  it('never begins behind a row of an open transaction, however long it stays open', async () => {
    const client = new pg.Client({ connectionString: home.url })
    await client.connect()
    const one = sequencer()
    await untilLowGrows(one)
    await client.query('BEGIN')
    await append(client, 'slow')
    for (let i = 0; i < 20; i++) {
      await appendAlone(`quick ${i}`)
      assert.equal(await one.run(), 1)
    }
    await client.query('COMMIT')
    assert.equal(await one.run(), 1, 'the row of the slow transaction was passed over')
    await client.end()
  })

  it('never begins behind an id that was drawn and is not written yet', async () => {
    const client = new pg.Client({ connectionString: home.url })
    await client.connect()
    const one = sequencer()
    await untilLowGrows(one)
    const gate = `hashtext('${home.schema}')`
    await home.database.transaction(async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(${gate})`)
      // Draws its id, and then waits before it has written anything.
      const inserting = client.query(
        `INSERT INTO ${home.schema}.outbox (id, topic, payload)
         SELECT id, 't', to_json(pg_advisory_xact_lock(${gate})::text) FROM (SELECT ${home.schema}.outbox_next_id() AS id OFFSET 0) AS drawn`,
      )
      const blocked = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid::bigint = (${gate} & 4294967295::bigint)`
      while ((await home.database.query(blocked)).rows.length === 0) await one.run()
      for (let i = 0; i < 20; i++) {
        await appendAlone(`quick ${i}`)
        await one.run()
      }
      tx.afterCommit(async () => void (await inserting))
    })
    assert.equal(await waiting(), 1)
    assert.equal(await one.run(), 1, 'the row was passed over')
    await client.end()
  })

  it('looks from the first id again from time to time, in case ids were given twice', async () => {
    const one = sequencer()
    await untilLowGrows(one)
    await home.database.query(
      `INSERT INTO ${home.schema}.outbox (id, topic, payload) SELECT min(id) - 1, 't', '1' FROM ${home.schema}.outbox`,
    )
    assert.equal(await one.run(), 0)
    await one.clock.advance(60_000)
    assert.equal(await one.run(), 1)
  })

  it('takes a backlog in as many steps as it needs', async () => {
    const payloads = JSON.stringify(Array.from({ length: 2_500 }, (_, i) => i))
    const topics = JSON.stringify(Array.from({ length: 2_500 }, () => 't'))
    await home.database.query(sql.append, [topics, payloads, JSON.stringify(Array(2_500).fill(null)), 'false'])
    const one = sequencer()
    assert.equal(await one.run(), 2_500)
    assert.equal(one.line.last, 2_500n)
    const { rows } = await home.database.query<{ payload: string }>(
      `SELECT o.payload::text FROM ${home.schema}.outbox o ORDER BY o.sequence`,
    )
    assert.deepEqual(
      rows.map(({ payload }) => Number(payload)),
      Array.from({ length: 2_500 }, (_, i) => i),
    )
  })

  it('by several processes at once gives each row one place', async () => {
    const all = Array.from({ length: 6 }, sequencer)
    await Promise.all(
      Array.from({ length: 120 }, async (_, i) => {
        await appendAlone(String(i))
        await all[i % all.length]!.run()
      }),
    )
    const { rows } = await home.database.query<{ places: number; last: string }>(
      `SELECT count(DISTINCT sequence)::integer AS places, max(sequence)::text AS last FROM ${home.schema}.outbox`,
    )
    assert.deepEqual(rows[0], { places: 120, last: '120' })
  })

  it('waits for one that has given places and not committed them', async () => {
    const one = sequencer()
    await appendAlone('1')
    let later: Promise<unknown[]> | undefined
    await home.database.transaction(async (tx) => {
      await tx.query(sql.line, ['0', '100'])
      await appendAlone('2')
      later = Promise.all([one.run(), home.database.query(sql.broadcast, ['["b"]', '["3"]'])])
      const blocked = `SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
        WHERE l.locktype = 'advisory' AND NOT l.granted AND a.query LIKE '%${home.schema}%'`
      while ((await home.database.query(blocked)).rows.length < 2) await Promise.race([later, undefined])
    })
    await later
    const { rows } = await home.database.query<{ sequence: string }>(
      `SELECT o.sequence::text FROM ${home.schema}.outbox o ORDER BY o.sequence`,
    )
    assert.deepEqual(
      rows.map(({ sequence }) => sequence),
      ['1', '2', '3'],
    )
  })

  it('refuses to give a place twice, should the server run it on an old snapshot', async () => {
    await appendAlone('1')
    const old = await home.database
      .transaction(
        async (tx) => {
          await tx.query('SELECT 1')
          await home.database.query(sql.line, ['0', '100'])
          return tx.query(sql.line, ['0', '100']).catch((error: unknown) => error)
        },
        { isolation: 'repeatable read', retries: 0 },
      )
      .catch((error: unknown) => error)
    assert.ok(hasCode(old, 'E_QUERY') || hasCode(old, 'E_TRANSACTION_ROLLED_BACK'))
    assert.equal(await waiting(), 0)
  })

  it('that finds the line shorter than it was tells those who wait', async () => {
    const one = sequencer()
    one.line.reach(1_000n)
    const woken = one.line.beyond(1_000n, new AbortController().signal)
    await appendAlone('1')
    await one.run()
    await woken
    assert.equal(one.line.last, 1n)
  })
})
