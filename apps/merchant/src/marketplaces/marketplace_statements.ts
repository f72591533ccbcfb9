import { statement } from '@tailwater/postgres'

/** What is read of a marketplace. */
export const MARKETPLACE_COLUMNS = 'k.id::float8 AS id, k.slug, k.name'

/** The statements of single marketplaces. @param schema quoted and ready to interpolate */
export function marketplaceStatements(schema: string) {
  return {
    one: statement(
      'merchant_marketplace_one',
      `SELECT ${MARKETPLACE_COLUMNS} FROM ${schema}.marketplaces k WHERE k.id = $1`,
    ),
  }
}
