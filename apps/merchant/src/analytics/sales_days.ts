import { backgroundError, type Cancel, type Clock, createService, type Service, toError } from '@tailwater/core'
import { type Queryable, type Statement, statement } from '@tailwater/postgres'

/** Milliseconds between two sweeps. */
const INTERVAL = 60_000

/** Days of a merchant and country merged by one statement. */
const BATCH = 5_000

/**
 * Merges the changes of a day into one row, or none when they cancel out.
 *
 * One statement, so that nobody sees a day twice or not at all; two sweeps at once wait for each other's rows and
 * then find them gone.
 *
 * @param schema quoted and ready to interpolate
 */
export function mergeStatement(schema: string): Statement {
  const sums = ['orders', 'returns', 'lines', 'units', 'gross', 'returned']
  return statement(
    'merchant_sales_days_merge',
    // sales_days_unmerged, sales_days_by_merchant_day
    `WITH changed AS MATERIALIZED (
       SELECT DISTINCT merchant_id, day, country FROM ${schema}.sales_days WHERE NOT merged LIMIT ${BATCH}
     ), gone AS (
       DELETE FROM ${schema}.sales_days WHERE ctid = ANY (ARRAY(
         SELECT d.place FROM changed c JOIN LATERAL (
           SELECT ctid AS place FROM ${schema}.sales_days
           WHERE merchant_id = c.merchant_id AND day = c.day AND country = c.country OFFSET 0
         ) d ON true
       ))
       RETURNING merchant_id, day, country, ${sums.join(', ')}
     ), kept AS (
       INSERT INTO ${schema}.sales_days (merchant_id, day, country, ${sums.join(', ')}, merged)
       SELECT merchant_id, day, country, ${sums.map((name) => `sum(${name})`).join(', ')}, true FROM gone
       GROUP BY merchant_id, day, country
       HAVING ${sums.map((name) => `sum(${name}) <> 0`).join(' OR ')}
     )
     SELECT count(*)::int AS days FROM changed`,
  )
}

/** Merges all changes there are. */
export async function mergeSalesDays(database: Queryable, merge: Statement): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ days: number }>(merge)
    if (rows[0]!.days < BATCH) return
  }
}

/** What the sweep needs. */
export interface SalesDaysParts {
  database: Queryable
  /** Quoted and ready to interpolate. */
  schema: string
  clock: Clock
}

/** Merges the days' changes once a minute while it is started; what goes wrong is published, and tried again a minute later. */
export function createSalesDaysSweeper({ database, schema, clock }: SalesDaysParts): Service {
  const merge = mergeStatement(schema)
  let cancel: Cancel = () => {}
  let merging: Promise<unknown> | undefined
  function mergeLater() {
    cancel = clock.after(INTERVAL, () => {
      mergeLater()
      merging ??= mergeSalesDays(database, merge)
        .catch(publishFault)
        .finally(() => {
          merging = undefined
        })
    })
  }
  return createService('sales by day', {
    start: mergeLater,
    async stop() {
      cancel()
      await merging
    },
  })
}

function publishFault(fault: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'merchant', error: toError(fault) })
}
