import { statement } from '@tailwater/postgres'

/** Lines of the latest orders that tell what sells. */
const LINES = 200_000

/** The statements that find what is worth having before anybody asks. */
export type WarmStatements = ReturnType<typeof warmStatements>

/** @param schema quoted and ready to interpolate */
export function warmStatements(schema: string) {
  return {
    // order_lines_pkey, backwards
    hotProducts: statement(
      'merchant_warm_hot_products',
      `SELECT product_id::float8 AS id FROM (
         SELECT product_id FROM ${schema}.order_lines ORDER BY order_id DESC, ordinal DESC LIMIT ${LINES}
       ) sold WHERE product_id IS NOT NULL GROUP BY product_id ORDER BY count(*) DESC, product_id LIMIT $1`,
    ),
    hotCategories: statement(
      'merchant_warm_hot_categories',
      `SELECT id::text AS id FROM ${schema}.categories ORDER BY cardinality(path), id LIMIT $1`,
    ),
  }
}
