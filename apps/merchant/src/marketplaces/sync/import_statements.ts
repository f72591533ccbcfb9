import { statement } from '@tailwater/postgres'

/** The statements by which orders of marketplaces come in. */
export type ImportStatements = ReturnType<typeof importStatements>

/** @param schema quoted and ready to interpolate */
export function importStatements(schema: string) {
  return {
    // marketplace_orders_pkey: an order that comes twice, by webhook and by asking, is one. Whoever comes second waits for the first.
    receive: statement(
      'merchant_import_receive',
      `INSERT INTO ${schema}.marketplace_orders (marketplace_id, external_id, outcome, reason, placed_at, merchant_ids)
       VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (marketplace_id, external_id) DO NOTHING
       RETURNING external_id AS "externalId"`,
    ),
    // marketplace_orders_pkey
    keepOrders: statement(
      'merchant_import_keep_orders',
      `UPDATE ${schema}.marketplace_orders SET order_ids = $3 WHERE marketplace_id = $1 AND external_id = $2`,
    ),
    // listings_marketplace_id_external_id_key, products_pkey, merchants_pkey
    products: statement(
      'merchant_import_products',
      `SELECT l.external_id AS "externalId", l.product_id::float8 AS "productId", p.merchant_id::float8 AS "merchantId",
              p.sku, p.title, p.status
       FROM ${schema}.listings l JOIN ${schema}.products p ON p.id = l.product_id
       WHERE l.marketplace_id = $1 AND l.external_id = ANY($2::text[])`,
    ),
    // customers_merchant_id_external_id_key. The update changes nothing, and gives the row.
    customer: statement(
      'merchant_import_customer',
      `INSERT INTO ${schema}.customers AS c (merchant_id, external_id, email, name, country) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (merchant_id, external_id) DO UPDATE SET external_id = c.external_id
       RETURNING c.id::float8 AS id, c.xmax = 0 AS "isNew"`,
    ),
  }
}
