import { statement } from '@tailwater/postgres'

/** The statements that price an order. @param schema quoted and ready to interpolate */
export function quoteStatements(schema: string) {
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
  }
}
