import { statement } from '@tailwater/postgres'

/** The statements that take orders back. @param schema quoted and ready to interpolate */
export function returnStatements(schema: string) {
  return {
    // orders_by_returned_order
    anyReturn: statement(
      'merchant_order_any_return',
      `SELECT id::float8 AS id FROM ${schema}.orders WHERE returns_order_id = $1 LIMIT 1`,
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
  }
}
