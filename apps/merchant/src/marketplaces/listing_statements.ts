import { statement } from '@tailwater/postgres'

/** What is read of a listing `l` and its product `p`. */
export const LISTING_COLUMNS = `l.id::float8 AS id, l.marketplace_id::float8 AS "marketplaceId", l.product_id::float8 AS "productId",
  p.merchant_id::float8 AS "merchantId", l.external_id AS "externalId", l.status, l.price::float8 AS price,
  l.updated_at AS "updatedAt"`
/** The statements of single listings. */
export type ListingStatements = ReturnType<typeof listingStatements>

/** @param schema quoted and ready to interpolate */
export function listingStatements(schema: string) {
  return {
    // listings_pkey, products_pkey
    one: statement(
      'merchant_listing_one',
      `SELECT ${LISTING_COLUMNS} FROM ${schema}.listings l JOIN ${schema}.products p ON p.id = l.product_id
       WHERE l.id = $1 AND ($2::bigint IS NULL OR p.merchant_id = $2)`,
    ),
    // listings_marketplace_id_product_id_key; no row when the product is not the caller's
    put: statement(
      'merchant_listing_put',
      `WITH product AS (
         SELECT id, merchant_id FROM ${schema}.products WHERE id = $2 AND ($6::bigint IS NULL OR merchant_id = $6)
       ), l AS (
         INSERT INTO ${schema}.listings AS l (marketplace_id, product_id, external_id, status, price)
         SELECT $1, product.id, $3, $4, $5 FROM product
         ON CONFLICT (marketplace_id, product_id) DO UPDATE
           SET external_id = EXCLUDED.external_id, status = EXCLUDED.status, price = EXCLUDED.price, updated_at = now()
         RETURNING l.id, l.marketplace_id, l.product_id, l.external_id, l.status, l.price, l.updated_at
       )
       SELECT ${LISTING_COLUMNS} FROM l JOIN product p ON p.id = l.product_id`,
    ),
  }
}
