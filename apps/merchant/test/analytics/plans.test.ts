import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { analyticsStatements } from '../../src/analytics/analytics_statements.ts'
import { mergeStatement } from '../../src/analytics/sales_days.ts'
import { loadData } from '../../src/data/load_data.ts'
import { createIndexes } from '../../src/database/index_builder.ts'
import { merchantMigrations } from '../../src/database/migrations.ts'

/** Above so many rows a table must be read by an index. */
const MANY_ROWS = 10_000

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  Plans?: PlanNode[]
}

function nodesOf(node: PlanNode): PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)]
}

/** What each statement takes after the merchant, the first and the last day. */
const further: Record<string, unknown[]> = {
  sales: ['day'],
  topCustomers: [10],
  topByRevenue: [10, false],
  topByUnits: [10, true],
}

for (const merchants of ['ten merchants', 'a single merchant'])
  describe(`the statements of the analytics, with the data of ${merchants}`, () => {
    let opened: TestSchema
    let large: Set<string>

    before(async () => {
      opened = await createTestSchema({ modules: [merchantMigrations] })
      const { database, schema } = opened
      const size = { products: 11_000, orders: 15_000, lines: 40_000 }
      await loadData({ database, schema, size, secret: new Uint8Array(32) })
      if (merchants === 'a single merchant') await giveAllToOne(opened)
      await createIndexes({ database, schema, clock: systemClock })
      await database.query(`VACUUM ANALYZE`)
      const { rows } = await database.query<{ name: string }>(
        'SELECT relname AS name FROM pg_class WHERE relnamespace = $1::text::regnamespace AND reltuples > $2::int',
        [schema, MANY_ROWS],
      )
      large = new Set(rows.map(({ name }) => name))
      for (const table of ['orders', 'order_lines', 'products']) assert.ok(large.has(table), table)
    })
    after(() => opened.close())

    async function assertIndexed(explain: string, values?: unknown[]): Promise<void> {
      const { rows } = await opened.database.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(explain, values)
      const nodes = nodesOf(rows[0]!['QUERY PLAN'][0].Plan)
      const scanned = nodes.filter(
        (node) => node['Node Type'].endsWith('Seq Scan') && large.has(node['Relation Name'] ?? ''),
      )
      assert.deepEqual(scanned, [], explain)
    }

    const periods = [
      [null, null],
      ['2026-10-01', '2026-10-31'],
      ['2000-01-01', '2030-01-01'],
    ]
    const names = Object.keys(analyticsStatements('x')) as (keyof ReturnType<typeof analyticsStatements>)[]
    for (const name of names)
      it(`${name} reads no table of many rows from end to end, whatever the period`, async () => {
        const { one, all } = analyticsStatements(opened.schema)[name]
        for (const [scope, { text }] of [[1, one] as const, [null, all] as const]) {
          for (const period of periods)
            await assertIndexed(`EXPLAIN (FORMAT JSON) ${text}`, [scope, ...period, ...(further[name] ?? [])])
          await assertIndexed(`EXPLAIN (FORMAT JSON, GENERIC_PLAN) ${text}`)
        }
      })

    it('the sweep finds what it has to merge by an index', async () => {
      await assertIndexed(`EXPLAIN (FORMAT JSON) ${mergeStatement(opened.schema).text}`)
    })
  })

/** As if one merchant had sold everything. */
async function giveAllToOne({ database, schema }: TestSchema): Promise<void> {
  for (const table of ['orders', 'order_lines'])
    await database.query(`ALTER TABLE ${schema}.${table} DISABLE TRIGGER USER`)
  await database.query(`UPDATE ${schema}.products SET sku = sku || '-' || merchant_id`)
  for (const table of ['orders', 'order_lines', 'products', 'customers'])
    await database.query(`UPDATE ${schema}.${table} SET merchant_id = 1`)
  await database.query(`TRUNCATE ${schema}.sales_days`)
  await database.query(`SELECT ${schema}.recount_merchant(1)`)
}
