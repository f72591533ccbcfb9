import { statement } from '@tailwater/postgres'

/** Products that a usual price is made of at most, and at least. */
const SAMPLE = { most: 1_000, least: 5 }

/** The statements of quality checks. */
export type QualityStatements = ReturnType<typeof qualityStatements>

/** @param schema quoted and ready to interpolate */
export function qualityStatements(schema: string) {
  return {
    // products_active_by_category_created: of the newest, because prices move.
    usualPrice: statement(
      'merchant_quality_usual_price',
      `SELECT CASE WHEN count(*) >= ${SAMPLE.least} THEN percentile_cont(0.5) WITHIN GROUP (ORDER BY price) END::float8 AS price
       FROM (
         SELECT price FROM ${schema}.products WHERE status = 'active' AND category_id = $1
         ORDER BY category_id DESC, created_at DESC, id DESC LIMIT ${SAMPLE.most}
       ) newest`,
    ),
  }
}
