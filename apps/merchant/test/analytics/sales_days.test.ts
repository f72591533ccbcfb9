import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { mergeSalesDays, mergeStatement } from '../../src/analytics/sales_days.ts'
import { importOnlineRetail } from '../../src/data/online_retail/import.ts'
import { createRandom, type Random } from '../../src/data/random.ts'
import { merchantMigrations } from '../../src/database/migrations.ts'

const file = join(import.meta.dirname, '../data/online_retail/odd_lines.csv')

async function openSchema(): Promise<TestSchema> {
  const opened = await createTestSchema({ modules: [merchantMigrations], pool: { max: 8 } })
  after(opened.close)
  return opened
}

const SUMS = `merchant_id, day::text, country, sum(orders)::text AS orders, sum(returns)::text AS returns, sum(lines)::text AS lines,
  sum(units)::text AS units, sum(gross)::numeric(16,3)::text AS gross, sum(returned)::numeric(16,3)::text AS returned`

/** The days as they are kept. */
async function kept({ database, schema }: TestSchema): Promise<unknown[]> {
  const { rows } = await database.query(
    `SELECT * FROM (SELECT ${SUMS} FROM ${schema}.sales_days GROUP BY merchant_id, day, country) d
     WHERE lines <> '0' OR orders <> '0' OR returns <> '0' ORDER BY 1, 2, 3`,
  )
  return rows
}

/** The days as orders and lines make them, computed from scratch. */
async function computed({ database, schema }: TestSchema): Promise<unknown[]> {
  const { rows } = await database.query(
    `SELECT ${SUMS} FROM (
       SELECT o.merchant_id, (o.placed_at AT TIME ZONE m.time_zone)::date AS day, o.country,
              (kind = 'order')::int AS orders, (kind = 'return')::int AS returns, 0 AS lines, 0 AS units, 0 AS gross, 0 AS returned
       FROM ${schema}.orders o JOIN ${schema}.merchants m ON m.id = o.merchant_id WHERE status <> 'cancelled'
       UNION ALL
       SELECT o.merchant_id, (l.sold_at AT TIME ZONE m.time_zone)::date, o.country, 0, 0, 1, l.quantity,
              CASE o.kind WHEN 'order' THEN l.amount ELSE 0 END, CASE o.kind WHEN 'return' THEN -l.amount ELSE 0 END
       FROM ${schema}.order_lines l JOIN ${schema}.orders o ON o.id = l.order_id
       JOIN ${schema}.merchants m ON m.id = o.merchant_id WHERE status <> 'cancelled'
     ) changes GROUP BY merchant_id, day, country ORDER BY 1, 2, 3`,
  )
  return rows
}

async function addMerchants({ database, schema }: TestSchema): Promise<void> {
  await database.query(
    `INSERT INTO ${schema}.merchants (slug, name, time_zone)
     VALUES ('one', 'One', 'Europe/London'), ('two', 'Two', 'Pacific/Auckland')`,
  )
}

/** One random thing that may happen to orders. */
async function happen({ database, schema }: TestSchema, random: Random): Promise<void> {
  const moment = new Date(Date.UTC(2026, 2, 20) + random.integer(20 * 86_400) * 1_000).toISOString()
  const some = `(SELECT id FROM ${schema}.orders ORDER BY md5(id::text || '${random.next()}') LIMIT ${1 + random.integer(3)})`
  const line = `order_id IN ${some} AND ordinal = 1`
  const order = `INSERT INTO ${schema}.orders (merchant_id, kind, status, country, total, placed_at)
    SELECT 1 + n % 2, '${random.pick(['order', 'return'])}', '${random.pick(['placed', 'completed', 'cancelled'])}',
           '${random.pick(['Malta', 'Japan'])}', 1, '${moment}' FROM generate_series(1, ${1 + random.integer(4)}) n RETURNING id, merchant_id`
  const statements = [
    `WITH o AS (${order}) INSERT INTO ${schema}.order_lines (order_id, ordinal, merchant_id, sku, title, quantity, unit_price, sold_at)
     SELECT id, n, merchant_id, 's', 't', n - 2, 1.125 * n, '${moment}'::timestamptz + n * interval '7 hours' FROM o, generate_series(1, 4) n`,
    `UPDATE ${schema}.orders SET status = '${random.pick(['cancelled', 'paid', 'completed'])}' WHERE id IN ${some}`,
    `UPDATE ${schema}.orders SET country = 'Chile', placed_at = placed_at + interval '1 day' WHERE id IN ${some}`,
    `UPDATE ${schema}.order_lines SET quantity = quantity + 1 WHERE ${line}`,
    `UPDATE ${schema}.order_lines SET sold_at = sold_at - interval '1 day' WHERE ${line}`,
    `DELETE FROM ${schema}.order_lines WHERE ${line}`,
    `DELETE FROM ${schema}.orders WHERE id IN ${some}`,
    `UPDATE ${schema}.merchants SET time_zone = '${random.pick(['Asia/Tokyo', 'Europe/London', 'America/Lima'])}' WHERE id = 2`,
  ]
  await database.query(random.next() < 0.4 ? statements[0]! : random.pick(statements))
}

describe('sales by day', () => {
  it('are the sums of the lines after an import, and after it has been imported again', async () => {
    const opened = await openSchema()
    for (let round = 0; round < 2; round++) {
      await importOnlineRetail({ ...opened, file })
      assert.deepEqual(await kept(opened), await computed(opened))
    }
  })

  it('are the sums of the lines whatever happens to orders, lines and time zones', async (t) => {
    const opened = await openSchema()
    const merge = mergeStatement(opened.schema)
    await addMerchants(opened)
    const seed = process.env['TEST_SEED'] ?? String(Math.random())
    t.diagnostic(`TEST_SEED=${seed}`)
    const random = createRandom(seed)
    for (let step = 0; step < 150; step++) {
      await happen(opened, random)
      if (random.next() < 0.2) await mergeSalesDays(opened.database, merge)
      if (step % 5 === 0) assert.deepEqual(await kept(opened), await computed(opened), `after step ${step}`)
    }
    assert.deepEqual(await kept(opened), await computed(opened))
  })

  it('are merged into one row for each day, and none for days that cancelled out', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    await addMerchants(opened)
    for (let at = 0; at < 5; at++)
      await database.query(
        `INSERT INTO ${schema}.orders (merchant_id, status, country, total, placed_at) VALUES (1, 'placed', 'Malta', 1, '2026-01-0${1 + (at % 2)}')`,
      )
    await database.query(`UPDATE ${schema}.orders SET status = 'cancelled' WHERE placed_at > '2026-01-01T12:00'`)
    await mergeSalesDays(database, mergeStatement(schema))
    const { rows } = await database.query(`SELECT day::text, orders, merged FROM ${schema}.sales_days`)
    assert.deepEqual(rows, [{ day: '2026-01-01', orders: 3, merged: true }])
  })

  it('never show a sum that was not there, while orders are placed and days merged at once', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    const merge = mergeStatement(schema)
    await addMerchants(opened)
    let placed = 0
    let open = true
    const seller = async () => {
      for (let at = 0; at < 60; at++) {
        await database.query(
          `INSERT INTO ${schema}.orders (merchant_id, status, country, total, placed_at) VALUES (1, 'placed', 'Malta', 1, '2026-01-01')`,
        )
        placed++
      }
    }
    const sweeper = async () => {
      while (open) await mergeSalesDays(database, merge)
    }
    const reader = async () => {
      let seen = 0
      while (open) {
        const least = placed
        const { rows } = await database.query<{ orders: number }>(
          `SELECT coalesce(sum(orders), 0)::float8 AS orders FROM ${schema}.sales_days`,
        )
        const { orders } = rows[0]!
        assert.ok(orders >= least && orders >= seen, `${orders} of ${least}`)
        seen = orders
      }
    }
    const readers = [sweeper(), sweeper(), reader(), reader()]
    await Promise.all([seller(), seller(), seller()]).finally(() => {
      open = false
    })
    await Promise.all(readers)
    assert.deepEqual(await kept(opened), await computed(opened))
    assert.equal(placed, 180)
  })

  it('do not make two checkouts of one merchant wait for each other', async () => {
    const opened = await openSchema()
    const { database, schema } = opened
    await addMerchants(opened)
    const place = `INSERT INTO ${schema}.orders (merchant_id, status, country, total, placed_at) VALUES (1, 'placed', 'Malta', 1, '2026-01-01')`
    await database.transaction(async (first) => {
      await first.query(place)
      await database.transaction(async (second) => {
        await second.query("SET LOCAL lock_timeout = '5s'")
        await second.query(place)
      })
    })
  })
})
