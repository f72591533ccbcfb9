import { statement } from '@tailwater/postgres'

/** Listings that one round tells a marketplace of: few, because whatever comes meanwhile waits behind them in the line of its calls, a second at its usual pace. */
export const ROUND = 20

/** The statements by which listings are told, some at a time. @param schema quoted and ready to interpolate */
export function claimStatements(schema: string) {
  const syncs = `${schema}.listing_syncs`
  return {
    // listing_syncs_waiting. A claim is held while the marketplace is called, no transaction.
    claim: statement(
      'merchant_push_claim',
      `WITH due AS MATERIALIZED (
         SELECT listing_id FROM ${syncs}
         WHERE marketplace_id = $1 AND waiting_since IS NOT NULL AND (claimed_until IS NULL OR claimed_until < now())
         ORDER BY is_repetition, waiting_since LIMIT ${ROUND} FOR UPDATE SKIP LOCKED
       )
       UPDATE ${syncs} s SET claimed_until = now() + interval '1 minute'
       FROM due WHERE s.listing_id = due.listing_id
       RETURNING s.listing_id::float8 AS "listingId", s.revision::float8 AS revision`,
    ),
    // listing_syncs_pkey, listings_pkey, products_pkey, stock_pkey. Read after the claim: newer than its revision, perhaps, and never older.
    state: statement(
      'merchant_push_state',
      `SELECT l.id::float8 AS "listingId", l.external_id AS "externalId", l.status = 'live' AND p.status = 'active' AS "isOffered",
              p.title, round(l.price, 2)::float8 AS price,
              greatest(0, coalesce(s.on_hand - s.reserved, 0)) AS quantity,
              told.title AS "toldTitle", told.price::float8 AS "toldPrice", told.quantity AS "toldQuantity",
              told.external_id AS "toldExternalId", told.may_be_there AS "mayBeThere"
       FROM ${syncs} told
       JOIN ${schema}.listings l ON l.id = told.listing_id
       JOIN ${schema}.products p ON p.id = l.product_id
       LEFT JOIN ${schema}.stock s ON s.product_id = p.id
       WHERE told.listing_id = ANY($1::bigint[])`,
    ),
    // listing_syncs_pkey
    told: statement(
      'merchant_push_told',
      `UPDATE ${syncs} s SET
         title = told.title, price = told.price, quantity = told.quantity, refusal = told.refusal, told_at = now(),
         may_be_there = told.may_be_there, external_id = told.external_id,
         claimed_until = NULL, waiting_since = CASE WHEN s.revision = told.revision THEN NULL ELSE s.waiting_since END
       FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::numeric[], $5::int[], $6::text[],
         $7::boolean[], $8::text[]) AS told (listing_id, revision, title, price, quantity, refusal, may_be_there, external_id)
       WHERE s.listing_id = told.listing_id`,
    ),
    // listing_syncs_pkey. What has reached the marketplace is not known: the next time it is told everything.
    givenBack: statement(
      'merchant_push_given_back',
      `UPDATE ${syncs} SET claimed_until = NULL, title = NULL, may_be_there = true WHERE listing_id = ANY($1::bigint[])`,
    ),
  }
}
