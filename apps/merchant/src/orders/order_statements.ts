import { statement } from '@tailwater/postgres'

/** The statements that write and read single orders. */
export type OrderStatements = ReturnType<typeof orderStatements>

/** @param schema quoted and ready to interpolate */
export function orderStatements(schema: string) {
  return {
    // products_pkey
    pricesOfProducts: statement(
      'merchant_order_prices',
      `SELECT id::float8 AS id, sku, title, price::float8 AS price, status
       FROM ${schema}.products WHERE id = ANY($1::bigint[]) AND merchant_id = $2`,
    ),
    // merchants_pkey, customers_pkey, marketplaces_pkey
    parties: statement(
      'merchant_order_parties',
      `SELECT m.currency, c.country, k.id IS NOT NULL AS "hasMarketplace"
       FROM ${schema}.merchants m
       LEFT JOIN ${schema}.customers c ON c.id = $2 AND c.merchant_id = m.id
       LEFT JOIN ${schema}.marketplaces k ON k.id = $3
       WHERE m.id = $1`,
    ),
    // One statement, so that not even a reader at a lower isolation ever sees an order without its lines and payment.
    insert: statement(
      'merchant_order_insert',
      `WITH placed AS (
         INSERT INTO ${schema}.orders (merchant_id, customer_id, marketplace_id, status, country, total, placed_at)
         VALUES ($1, $2, $3, 'placed', $4, $5, now()) RETURNING id, placed_at
       ), lines AS (
         INSERT INTO ${schema}.order_lines
           (order_id, ordinal, merchant_id, product_id, sku, title, quantity, unit_price, sold_at)
         SELECT placed.id, line.ordinal, $1, line.product_id, line.sku, line.title, line.quantity, line.unit_price,
                placed.placed_at
         FROM placed, unnest($6::bigint[], $7::text[], $8::text[], $9::int[], $10::numeric[]) WITH ORDINALITY
           AS line (product_id, sku, title, quantity, unit_price, ordinal)
       ), payment AS (
         INSERT INTO ${schema}.payments (order_id, provider, provider_reference, status, amount)
         SELECT id, $11, $12, 'authorised', $5 FROM placed
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
    // orders_by_returned_order
    anyReturn: statement(
      'merchant_order_any_return',
      `SELECT id::float8 AS id FROM ${schema}.orders WHERE returns_order_id = $1 LIMIT 1`,
    ),
    setStatus: statement(
      'merchant_order_set_status',
      `UPDATE ${schema}.orders SET status = $2, updated_at = now() WHERE id = $1`,
    ),
    // payments_by_order
    payment: statement(
      'merchant_order_payment',
      `SELECT provider_reference AS reference, status FROM ${schema}.payments WHERE order_id = $1 ORDER BY id LIMIT 1`,
    ),
    setPaymentStatus: statement(
      'merchant_order_set_payment_status',
      `UPDATE ${schema}.payments SET status = $2 WHERE order_id = $1`,
    ),
    // order_lines_pkey, orders_by_returned_order. What is left of each sold line: pieces of a product that came back are
    // taken off its lines in their order, because imported returns don't say which line they are of.
    returnableLines: statement(
      'merchant_order_returnable_lines',
      `SELECT sold.ordinal, sold.product_id::float8 AS "productId", sold.unit_price::float8 AS "unitPrice",
              greatest(0, least(sold.quantity, sold.so_far - coalesce(returned.quantity, 0)))::int AS quantity
       FROM (
         SELECT ordinal, product_id, unit_price, quantity,
                sum(quantity) OVER (PARTITION BY product_id ORDER BY ordinal) AS so_far
         FROM ${schema}.order_lines WHERE order_id = $1 AND kind = 'sale' AND quantity > 0
       ) sold
       LEFT JOIN (
         SELECT l.product_id, -sum(l.quantity) AS quantity
         FROM ${schema}.orders o JOIN ${schema}.order_lines l ON l.order_id = o.id
         WHERE o.returns_order_id = $1 GROUP BY l.product_id
       ) returned USING (product_id)
       ORDER BY sold.ordinal`,
    ),
    insertReturn: statement(
      'merchant_order_insert_return',
      `WITH placed AS (
         INSERT INTO ${schema}.orders
           (merchant_id, customer_id, marketplace_id, kind, returns_order_id, status, country, total, placed_at)
         SELECT merchant_id, customer_id, marketplace_id, 'return', id, 'completed', country, $2, now()
         FROM ${schema}.orders WHERE id = $1
         RETURNING id, merchant_id, placed_at
       ), lines AS (
         INSERT INTO ${schema}.order_lines
           (order_id, ordinal, merchant_id, product_id, kind, sku, title, quantity, unit_price, sold_at)
         SELECT placed.id, line.ordinal, placed.merchant_id, l.product_id, 'return', l.sku, l.title, -line.quantity,
                l.unit_price, placed.placed_at
         FROM placed, unnest($3::int[], $4::int[]) AS line (ordinal, quantity)
         JOIN ${schema}.order_lines l ON l.order_id = $1 AND l.ordinal = line.ordinal
       )
       SELECT id::float8 AS id FROM placed`,
    ),
    insertRefund: statement(
      'merchant_order_insert_refund',
      `INSERT INTO ${schema}.payments (order_id, provider, provider_reference, status, amount)
       VALUES ($1, $2, $3, 'refunded', $4)`,
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
