import type { Jobs, Kind } from '@tailwater/jobs'
import { type Database, statement } from '@tailwater/postgres'
import type { ShopChanges } from '../caches/shop_changes.ts'

/** Whose figures. */
export interface RecalculationRequest {
  merchantId: number
}

/** The statements of the recalculation. */
export type RecalculationStatements = ReturnType<typeof recalculationStatements>

/** @param schema quoted and ready to interpolate */
export function recalculationStatements(schema: string) {
  return {
    recount: statement('merchant_sales_days_recount', `SELECT ${schema}.recount_merchant($1::bigint)`),
    merchants: statement(
      'merchant_sales_days_merchants',
      `SELECT id::float8 AS "merchantId" FROM ${schema}.merchants ORDER BY id`,
    ),
  }
}

/** What recalculating is made of. */
export interface RecalculationParts {
  database: Database
  statements: RecalculationStatements
  changes: ShopChanges
}

/**
 * The jobs that sum sales up anew from orders and lines. Triggers keep the sums; this repairs what went past them: rows restored from a backup, or written with triggers off.
 *
 * All of it reads one snapshot. An order that commits meanwhile is in neither the old sums that go nor the new ones that come, and its own change stays beside them; a sweep
 * that merges the same days meanwhile makes this begin again.
 */
export function defineRecalculation(jobs: Jobs, parts: RecalculationParts) {
  const { database, statements, changes } = parts
  const recalculation: Kind<RecalculationRequest> = jobs.define<RecalculationRequest>({
    kind: 'sales-recalculation',
    queue: 'analytics',
    unique: { by: 'payload', for: 'until-done' },
    async run({ payload: { merchantId }, signal }) {
      await database.transaction(
        async (tx) => {
          await tx.query(statements.recount, [merchantId], { signal, timeout: 240_000 })
          await changes.order(tx, merchantId, [])
        },
        { isolation: 'repeatable read', signal, timeout: 280_000 },
      )
    },
  })
  const all: Kind<null> = jobs.define<null>({
    kind: 'sales-recalculations',
    queue: 'analytics',
    async run({ signal }) {
      const { rows } = await database.query<RecalculationRequest>(statements.merchants, [], { signal })
      await jobs.enqueueMany(rows.map((row) => recalculation.job(row)))
      return { merchants: rows.length }
    },
  })
  return { recalculation, recalculations: all }
}
