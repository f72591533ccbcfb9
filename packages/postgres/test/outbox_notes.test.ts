import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { outboxSql } from '../src/outbox/sql.ts'

describe("a leader's note of how far a consumer has got", () => {
  let home: TestSchema
  let sql: ReturnType<typeof outboxSql>
  before(async () => {
    home = await createTestSchema({ modules: [tailwaterMigrations] })
    sql = outboxSql(home.schema)
  })
  after(() => home.close())
  beforeEach(async () => {
    await home.database.query(`TRUNCATE ${home.schema}.outbox_consumers`)
    await home.database.query(sql.register, ['orders', '["%"]', 'false'])
  })

  const claim = async (epoch: number) => (await home.database.query(sql.claim, ['orders', String(epoch)])).rows.length
  const advance = async (epoch: number, position: number) =>
    (await home.database.query(sql.advance, ['orders', String(epoch), String(position)])).rows.length
  const fail = async (epoch: number, sequence: number) =>
    (await home.database.query(sql.fail, ['orders', String(epoch), String(sequence), 'why'])).rows.length
  const skip = async (sequence: number) =>
    (await home.database.query(sql.skip, ['orders', String(sequence)])).rows.length
  async function row() {
    const { rows } = await home.database.query<{ position: number; failures: number; blocked_at: number | null }>(
      `SELECT position, failures, blocked_at FROM ${home.schema}.outbox_consumers`,
    )
    return rows[0]!
  }

  it('is taken from the one who has claimed the position last', async () => {
    assert.equal(await claim(2), 1)
    assert.equal(await advance(2, 10), 1)
    assert.equal(await advance(2, 10), 1)
    assert.equal(await claim(2), 1, 'the same leader may claim again')
    assert.equal((await row()).position, 10)
  })

  it('is refused of an earlier one, and of one that has not claimed it', async () => {
    await claim(2)
    await advance(2, 10)
    for (const epoch of [1, 3]) {
      assert.equal(await advance(epoch, 20), 0)
      assert.equal(await fail(epoch, 20), 0)
    }
    assert.equal(await claim(1), 0)
    assert.deepEqual(await row(), { position: 10, failures: 0, blocked_at: null })
  })

  it('never goes back', async () => {
    await claim(1)
    await advance(1, 10)
    assert.equal(await advance(1, 9), 0)
    assert.equal((await row()).position, 10)
  })

  it('counts failures until it gets on', async () => {
    await claim(1)
    await fail(1, 11)
    await fail(1, 11)
    assert.deepEqual(await row(), { position: 0, failures: 2, blocked_at: 11 })
    await advance(1, 11)
    assert.deepEqual(await row(), { position: 11, failures: 0, blocked_at: null })
  })

  it('is overruled by a person at the message it is blocked at, and at no other', async () => {
    await claim(1)
    assert.equal(await skip(11), 0)
    await fail(1, 11)
    assert.equal(await skip(10), 0)
    assert.equal(await skip(12), 0)
    assert.equal(await skip(11), 1)
    assert.deepEqual(await row(), { position: 11, failures: 0, blocked_at: null })
  })
})
