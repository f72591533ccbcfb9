import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { loadData } from '../../src/data/load_data.ts'
import type { ProgressState } from '../../src/data/progress.ts'
import { merchantMigrations } from '../../src/database/migrations.ts'

const tiny = { products: 300, orders: 1_000, lines: 3_000 }
const secret = new Uint8Array(32)

async function openSchema(): Promise<TestSchema> {
  const opened = await createTestSchema({ modules: [merchantMigrations] })
  after(opened.close)
  return opened
}

async function one<Row>({ database }: TestSchema, text: string): Promise<Row> {
  const { rows } = await database.query<Row>(text)
  return rows[0]!
}

const foreignKeys = (schema: string) =>
  `SELECT array_agg(format('%s %s', conrelid::regclass, pg_get_constraintdef(oid)) ORDER BY conname) AS keys
   FROM pg_constraint WHERE contype = 'f' AND convalidated AND connamespace = '${schema}'::regnamespace`

describe('loading generated data', () => {
  it('fills an empty database, keeps its foreign keys, and lets sequences go on', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    const keysBefore = await one<{ keys: string[] }>(opened, foreignKeys(schema))
    const loaded = await loadData({ database, schema, size: tiny, secret })
    assert.equal(loaded?.merchants.length, 10)
    assert.deepEqual(await one(opened, foreignKeys(schema)), keysBefore)
    const counts = await one(
      opened,
      `SELECT (SELECT count(*)::int FROM ${schema}.products) AS products, (SELECT count(*)::int FROM ${schema}.orders) AS orders,
              (SELECT count(*)::int FROM ${schema}.order_lines) AS lines`,
    )
    assert.deepEqual(counts, tiny)
    const { rows } = await database.query<{ id: string }>(
      `INSERT INTO ${schema}.orders (merchant_id, status, country, total, placed_at)
       VALUES (1, 'placed', 'Malta', 1, now()) RETURNING id`,
    )
    assert.equal(Number(rows[0]?.id), 1_001)
  })

  it('gives every order the total of its lines and a payment of it', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    await loadData({ database, schema, size: tiny, secret })
    const wrong = await one<{ count: number }>(
      opened,
      `SELECT count(*)::int AS count FROM ${schema}.orders o
       LEFT JOIN (SELECT order_id, sum(amount) AS sum FROM ${schema}.order_lines GROUP BY 1) l ON l.order_id = o.id
       LEFT JOIN ${schema}.payments p ON p.order_id = o.id
       WHERE o.total IS DISTINCT FROM l.sum OR abs(o.total) IS DISTINCT FROM p.amount`,
    )
    assert.equal(wrong.count, 0)
  })

  it('stores of each API key only its SHA-256, and derives the key from the secret', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    const loaded = await loadData({ database, schema, size: tiny, secret })
    const [merchant] = loaded!.merchants
    assert.match(merchant!.apiKey, /^tw_live_[A-Za-z0-9_-]{43}$/)
    const stored = await one<{ hash: Buffer }>(opened, `SELECT hash FROM ${schema}.api_keys WHERE merchant_id = 1`)
    assert.deepEqual(stored.hash, createHash('sha256').update(merchant!.apiKey).digest())
    const other = await openSchema()
    const under = await loadData({ ...other, size: tiny, secret: new Uint8Array(32).fill(1) })
    assert.notEqual(under!.merchants[0]!.apiKey, merchant!.apiKey)
  })

  it('leaves a database that holds anything as it is', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    await database.query(`INSERT INTO ${schema}.marketplaces (slug, name) VALUES ('mine', 'Mine')`)
    assert.equal(await loadData({ database, schema, size: tiny, secret }), undefined)
    assert.deepEqual(await one(opened, `SELECT count(*)::int AS count FROM ${schema}.products`), { count: 0 })
  })

  it('loads once when two processes start together', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    const both = await Promise.all([1, 2].map(() => loadData({ database, schema, size: tiny, secret })))
    assert.equal(both.filter(Boolean).length, 1)
    assert.deepEqual(await one(opened, `SELECT count(*)::int AS count FROM ${schema}.orders`), { count: 1_000 })
  })

  it('reserves what orders not yet delivered hold', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    await loadData({ database, schema, size: tiny, secret })
    const sums = await one<{ reserved: number; held: number }>(
      opened,
      `SELECT (SELECT sum(reserved)::int FROM ${schema}.stock) AS reserved,
              (SELECT sum(l.quantity)::int FROM ${schema}.order_lines l JOIN ${schema}.orders o ON o.id = l.order_id
               LEFT JOIN ${schema}.orders of ON of.id = o.returns_order_id
               WHERE coalesce(of.status, o.status) = 'paid') AS held`,
    )
    assert.ok(sums.held > 0)
    assert.equal(sums.reserved, sums.held)
  })

  it('leaves the database empty when it is interrupted, and loads it the next time', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    const progress = ({ label }: ProgressState) => {
      if (label === 'order lines') throw new Error('interrupted')
    }
    await assert.rejects(loadData({ database, schema, size: tiny, secret, progress }))
    assert.deepEqual(await one(opened, `SELECT count(*)::int AS count FROM ${schema}.products`), { count: 0 })
    assert.ok(await loadData({ database, schema, size: tiny, secret }))
  })

  it('tells progress that ascends to its total', async () => {
    const { database, schema } = await openSchema()
    const states: ProgressState[] = []
    await loadData({ database, schema, size: tiny, secret, progress: (state) => states.push(state) })
    assert.ok(states.every(({ done }, at) => at === 0 || done >= states[at - 1]!.done))
    assert.equal(states.at(-1)!.done, states.at(-1)!.total)
    assert.deepEqual([...new Set(states.map(({ label }) => label))].slice(-3), ['orders', 'order lines', 'payments'])
  })

  it('loads a file in place of generated data, with a key for its merchant, and only into an empty database', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    const file = join(import.meta.dirname, 'online_retail', 'odd_lines.csv')
    const keysBefore = await one<{ keys: string[] }>(opened, foreignKeys(schema))
    const loaded = await loadData({ database, schema, size: 'small', file, secret })
    assert.deepEqual(await one(opened, foreignKeys(schema)), keysBefore)
    const [merchant] = loaded!.merchants
    assert.deepEqual(
      await one(
        opened,
        `SELECT m.slug, k.hash FROM ${schema}.api_keys k JOIN ${schema}.merchants m ON m.id = k.merchant_id`,
      ),
      {
        slug: 'online-retail',
        hash: createHash('sha256').update(merchant!.apiKey).digest(),
      },
    )
    assert.equal(await loadData({ database, schema, size: 'small', file, secret }), undefined)
    assert.deepEqual(await one(opened, `SELECT count(*)::int AS count FROM ${schema}.order_lines`), { count: 23 })
  })
})
