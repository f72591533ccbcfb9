import { statement } from '@tailwater/postgres'

/** The statements of reports. */
export type ReportStatements = ReturnType<typeof reportStatements>

/** @param schema quoted and ready to interpolate */
export function reportStatements(schema: string) {
  return {
    // order_lines_by_merchant_sold, orders_by_status_placed. OFFSET 0 keeps the day's lines from being found by way of the whole table.
    salesOfDay: statement(
      'merchant_report_sales_of_day',
      `SELECT l.sku, min(l.title) AS title, sum(l.quantity)::float8 AS units, sum(l.amount)::float8 AS amount,
              count(DISTINCT l.order_id)::float8 AS orders, min(m.currency) AS currency
       FROM (SELECT id, time_zone, currency FROM ${schema}.merchants WHERE id = $1::bigint) m
       JOIN LATERAL (
         SELECT order_id, sku, title, quantity, amount FROM ${schema}.order_lines
         WHERE merchant_id = m.id AND sold_at >= $2::date::timestamp AT TIME ZONE m.time_zone
           AND sold_at < ($2::date + 1)::timestamp AT TIME ZONE m.time_zone
           AND order_id NOT IN (SELECT id FROM ${schema}.orders WHERE status = 'cancelled')
         OFFSET 0
       ) l ON true
       GROUP BY l.sku ORDER BY sum(l.amount) DESC, l.sku`,
    ),
    // A day is the merchant's own: the last one that has ended there.
    lastDays: statement(
      'merchant_report_last_days',
      `SELECT id::float8 AS "merchantId", ((now() AT TIME ZONE time_zone)::date - 1)::text AS day
       FROM ${schema}.merchants ORDER BY id`,
    ),
  }
}
