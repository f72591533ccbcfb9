import { type Statement, statement } from '@tailwater/postgres'

/** One statement for a single merchant, and one for all. */
export interface ScopedStatement {
  one: Statement
  all: Statement
}

/** The statements of the analytics; `$1` is always the merchant or null, `$2` the first day or null, `$3` the last. */
export type AnalyticsStatements = ReturnType<typeof analyticsStatements>

/** The figures of sales days \`d\`, already summed up, under the names they have in answers. */
const FIGURES = `
  coalesce(sum(d.orders), 0)::float8 AS orders, coalesce(sum(d.returns), 0)::float8 AS returns,
  coalesce(sum(d.lines), 0)::float8 AS lines, coalesce(sum(d.units), 0)::float8 AS units,
  coalesce(sum(d.gross), 0)::float8 AS "grossRevenue", coalesce(sum(d.returned), 0)::float8 AS "returnsValue",
  coalesce(sum(d.gross - d.returned), 0)::float8 AS "netRevenue"`

/** For lines: whether their order counts. orders_unfinished_by_status_placed; hashed once. */
const counts = (schema: string) => `order_id NOT IN (SELECT id FROM ${schema}.orders WHERE status = 'cancelled')`

/** When the period begins and ends for merchant \`m\`. */
const SINCE = `coalesce($2::date::timestamp, '-infinity') AT TIME ZONE m.time_zone`
const UNTIL = `coalesce(($3::date + 1)::timestamp, 'infinity') AT TIME ZONE m.time_zone`

/**
 * Everything is read merchant by merchant and, where lines are read, day by day, along an index, however much of the
 * table a period covers. OFFSET 0 keeps the planner from making one join over the whole table of it.
 *
 * @param schema quoted and ready to interpolate
 */
export function analyticsStatements(schema: string) {
  const scoped = (name: string, text: (merchants: string) => string): ScopedStatement => ({
    one: statement(`merchant_${name}_one`, text(`(SELECT * FROM ${schema}.merchants WHERE id = $1::bigint) m`)),
    all: statement(`merchant_${name}_all`, text(`(SELECT * FROM ${schema}.merchants WHERE $1::bigint IS NULL) m`)),
  })
  return {
    ...salesStatements(schema, scoped),
    ...peopleStatements(schema, scoped),
    ...productStatements(schema, scoped),
  }
}

type Scoped = (name: string, text: (merchants: string) => string) => ScopedStatement

/** Read from sales_days by sales_days_by_merchant_day. Days whose changes cancel out are no days with sales. */
function salesStatements(schema: string, scoped: Scoped) {
  const days = (merchants: string, columns: string) => `
    FROM ${merchants} JOIN LATERAL (
      SELECT ${columns}, sum(orders) AS orders, sum(returns) AS returns, sum(lines) AS lines, sum(units) AS units,
             sum(gross) AS gross, sum(returned) AS returned
      FROM ${schema}.sales_days
      WHERE merchant_id = m.id AND day >= coalesce($2::date, '-infinity') AND day <= coalesce($3::date, 'infinity')
      GROUP BY ${columns} HAVING sum(lines) <> 0 OR sum(orders) <> 0 OR sum(returns) <> 0
    ) d ON true`
  return {
    summary: scoped(
      'analytics_summary',
      (merchants) => `
        SELECT ${FIGURES}, min(d.day)::text AS "from", max(d.day)::text AS "to",
               round(sum(d.gross) / nullif(sum(d.orders), 0), 3)::float8 AS "averageOrderValue",
               CASE WHEN min(m.currency) = max(m.currency) THEN min(m.currency) END AS currency
        ${days(merchants, 'day')}`,
    ),
    sales: scoped(
      'analytics_sales',
      (merchants) => `
        SELECT date_trunc($4::text, d.day::timestamp)::date::text AS day, ${FIGURES}
        ${days(merchants, 'day')} GROUP BY 1 ORDER BY 1`,
    ),
    countries: scoped(
      'analytics_countries',
      (merchants) => `
        SELECT d.country, ${FIGURES},
               coalesce(round(sum(d.gross - d.returned) / nullif(sum(sum(d.gross - d.returned)) OVER (), 0), 6), 0)::float8 AS share
        ${days(merchants, 'country')} GROUP BY d.country ORDER BY sum(d.gross - d.returned) DESC, d.country`,
    ),
  }
}

/** Read from orders by orders_by_merchant_placed_sold, without a visit to the table. */
function peopleStatements(schema: string, scoped: Scoped) {
  const orders = (merchants: string) => `
    FROM ${merchants} JOIN LATERAL (
      SELECT customer_id, kind, total, placed_at FROM ${schema}.orders
      WHERE merchant_id = m.id AND placed_at >= ${SINCE} AND placed_at < ${UNTIL}
        AND status <> 'cancelled' AND customer_id IS NOT NULL
      OFFSET 0
    ) o ON true`
  return {
    customerCount: scoped(
      'analytics_customer_count',
      (merchants) => `
        SELECT count(*)::float8 AS customers FROM (SELECT DISTINCT o.customer_id ${orders(merchants)}) bought`,
    ),
    // orders_by_customer_placed. Whoever has bought before the period returns in it.
    returningCount: scoped(
      'analytics_returning_count',
      (merchants) => `
        SELECT count(*)::float8 AS returning FROM (
          SELECT DISTINCT o.customer_id, ${SINCE} AS since ${orders(merchants)}
        ) bought JOIN LATERAL (
          SELECT FROM ${schema}.orders
          WHERE customer_id = bought.customer_id AND placed_at < bought.since AND status <> 'cancelled' LIMIT 1
        ) earlier ON true`,
    ),
    // customers_pkey for the few that are shown.
    topCustomers: scoped(
      'analytics_top_customers',
      (merchants) => `
        SELECT c.id::float8 AS id, c.external_id AS "externalId", c.name, c.country, top.orders, top.returns,
               top.revenue::float8 AS "netRevenue", top.first AS "firstOrderAt", top.last AS "lastOrderAt"
        FROM (
          SELECT o.customer_id AS id, count(*) FILTER (WHERE o.kind = 'order')::float8 AS orders,
                 count(*) FILTER (WHERE o.kind = 'return')::float8 AS returns, sum(o.total) AS revenue,
                 min(o.placed_at) AS first, max(o.placed_at) AS last
          ${orders(merchants)} GROUP BY o.customer_id
          ORDER BY revenue DESC, o.customer_id LIMIT $4::int
        ) top JOIN LATERAL (SELECT * FROM ${schema}.customers WHERE id = top.id OFFSET 0) c ON true
        ORDER BY top.revenue DESC, top.id`,
    ),
  }
}

/** Read from order_lines by order_lines_by_merchant_sold and order_lines_by_product, without a visit to the table. */
function productStatements(schema: string, scoped: Scoped) {
  const top = (name: string, order: string) =>
    scoped(
      `analytics_top_products_by_${name}`,
      (merchants) => `
        SELECT p.id::float8 AS id, p.sku, p.title, p.merchant_id::float8 AS "merchantId", top.lines::float8 AS lines,
               top.units::float8 AS units, top.revenue::float8 AS "netRevenue"
        FROM (
          SELECT l.product_id AS id, count(*) AS lines, sum(l.quantity) AS units, sum(l.amount) AS revenue
          FROM (
            SELECT DISTINCT m.time_zone, d.merchant_id, d.day FROM ${merchants} JOIN LATERAL (
              SELECT merchant_id, day FROM ${schema}.sales_days
              WHERE merchant_id = m.id AND day >= coalesce($2::date, '-infinity') AND day <= coalesce($3::date, 'infinity')
              OFFSET 0
            ) d ON true
          ) d JOIN LATERAL (
            SELECT product_id, quantity, amount FROM ${schema}.order_lines
            WHERE merchant_id = d.merchant_id AND sold_at >= d.day::timestamp AT TIME ZONE d.time_zone
              AND sold_at < (d.day + 1)::timestamp AT TIME ZONE d.time_zone
              AND product_id IS NOT NULL AND (kind <> 'service' OR $5::boolean) AND ${counts(schema)}
            OFFSET 0
          ) l ON true
          GROUP BY l.product_id ORDER BY ${order} DESC, l.product_id LIMIT $4::int
        ) top JOIN LATERAL (SELECT * FROM ${schema}.products WHERE id = top.id OFFSET 0) p ON true
        ORDER BY top.${order} DESC, top.id`,
    )
  return {
    topByRevenue: top('revenue', 'revenue'),
    topByUnits: top('units', 'units'),
    productCount: scoped(
      'analytics_product_count',
      (merchants) => `
        SELECT count(*)::float8 AS products FROM ${merchants}
        JOIN LATERAL (SELECT id FROM ${schema}.products WHERE merchant_id = m.id OFFSET 0) p ON true
        JOIN LATERAL (
          SELECT FROM ${schema}.order_lines
          WHERE product_id = p.id AND sold_at >= ${SINCE} AND sold_at < ${UNTIL} AND ${counts(schema)} LIMIT 1
        ) sold ON true`,
    ),
  }
}
