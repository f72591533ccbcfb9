import { statement } from '@tailwater/postgres'
import { quoteStatements } from './quote_statements.ts'
import { returnStatements } from './return_statements.ts'

/** The statements that write and read single orders. */
export type OrderStatements = ReturnType<typeof orderStatements>

/** @param schema quoted and ready to interpolate */
export function orderStatements(schema: string) {
  return {
    ...quoteStatements(schema),
    ...returnStatements(schema),
    // One statement, because stock is locked while it is on its way.
    insert: statement(
      'merchant_order_insert',
      `WITH placed AS (
         INSERT INTO ${schema}.orders
           (merchant_id, customer_id, marketplace_id, status, external_id, country, total, placed_at)
         VALUES ($1, $2, $3, $13, $14, $4, $5, now()) RETURNING id, placed_at
       ), lines AS (
         INSERT INTO ${schema}.order_lines
           (order_id, ordinal, merchant_id, product_id, sku, title, quantity, unit_price, sold_at)
         SELECT placed.id, line.ordinal, $1, line.product_id, line.sku, line.title, line.quantity, line.unit_price,
                placed.placed_at
         FROM placed, unnest($6::bigint[], $7::text[], $8::text[], $9::int[], $10::numeric[]) WITH ORDINALITY
           AS line (product_id, sku, title, quantity, unit_price, ordinal)
       ), payment AS (
         INSERT INTO ${schema}.payments (order_id, provider, provider_reference, status, amount)
         SELECT id, $11, $12, $15, $5 FROM placed
       )
       SELECT id::float8 AS id, placed_at AS "placedAt" FROM placed`,
    ),
    // orders_pkey, order_lines_pkey, payments_by_order
    one: statement(
      'merchant_order_one',
      `SELECT o.id::float8 AS id, o.merchant_id::float8 AS "merchantId", o.kind, o.status,
              o.customer_id::float8 AS "customerId", o.marketplace_id::float8 AS "marketplaceId",
              o.returns_order_id::float8 AS "returnsOrderId", o.external_id AS "externalId", o.country, m.currency,
              o.total::float8 AS total, o.placed_at AS "placedAt", lines.list AS lines, payment.one AS payment
       FROM ${schema}.orders o
       JOIN ${schema}.merchants m ON m.id = o.merchant_id
       LEFT JOIN LATERAL (
         SELECT coalesce(json_agg(json_build_object(
           'ordinal', l.ordinal, 'kind', l.kind, 'productId', l.product_id, 'sku', l.sku, 'title', l.title,
           'quantity', l.quantity, 'unitPrice', l.unit_price::float8, 'amount', l.amount::float8
         ) ORDER BY l.ordinal), '[]') AS list
         FROM ${schema}.order_lines l WHERE l.order_id = o.id
       ) lines ON true
       LEFT JOIN LATERAL (
         SELECT json_build_object('provider', p.provider, 'reference', p.provider_reference, 'status', p.status,
                                  'amount', p.amount::float8) AS one
         FROM ${schema}.payments p WHERE p.order_id = o.id ORDER BY p.id LIMIT 1
       ) payment ON true
       WHERE o.id = $1 AND ($2::bigint IS NULL OR o.merchant_id = $2)`,
    ),
    // orders_pkey
    lock: statement(
      'merchant_order_lock',
      `SELECT id::float8 AS id, merchant_id::float8 AS "merchantId", kind, status, external_id AS "externalId",
              customer_id::float8 AS "customerId", marketplace_id::float8 AS "marketplaceId", country
       FROM ${schema}.orders WHERE id = $1 AND ($2::bigint IS NULL OR merchant_id = $2) FOR NO KEY UPDATE`,
    ),
    setStatus: statement(
      'merchant_order_set_status',
      `UPDATE ${schema}.orders SET status = $2, updated_at = now() WHERE id = $1`,
    ),
    // payments_by_order
    payment: statement(
      'merchant_order_payment',
      `SELECT provider_reference AS reference, provider, status FROM ${schema}.payments
       WHERE order_id = $1 ORDER BY id LIMIT 1`,
    ),
    setPaymentStatus: statement(
      'merchant_order_set_payment_status',
      `UPDATE ${schema}.payments SET status = $2 WHERE order_id = $1`,
    ),
    // fulfilments_pkey: a job that runs twice asks once.
    insertFulfilment: statement(
      'merchant_order_insert_fulfilment',
      `INSERT INTO ${schema}.fulfilments (order_id, missing) VALUES ($1, $2) ON CONFLICT (order_id) DO NOTHING
       RETURNING order_id::float8 AS "orderId"`,
    ),
    // orders_pkey, customers_pkey
    confirmation: statement(
      'merchant_order_confirmation',
      `SELECT o.id::float8 AS id, o.total::float8 AS total, m.name AS merchant, m.currency, c.name, c.email
       FROM ${schema}.orders o
       JOIN ${schema}.merchants m ON m.id = o.merchant_id
       LEFT JOIN ${schema}.customers c ON c.id = o.customer_id
       WHERE o.id = $1`,
    ),
  }
}
