import { statement } from '@tailwater/postgres'
import { claimStatements } from './claim_statements.ts'
import { roundStatements } from './round_statements.ts'

/** Answers of one round. */
const ANSWERS = 100

/** The statements by which marketplaces are told. */
export type PushStatements = ReturnType<typeof pushStatements>

/** @param schema quoted and ready to interpolate */
export function pushStatements(schema: string) {
  const syncs = `${schema}.listing_syncs`
  return {
    ...claimStatements(schema),
    ...roundStatements(schema),
    // listings_by_product, listing_syncs_pkey. In the order of their ids, so that two that mark the same wait for each other once.
    mark: statement(
      'merchant_push_mark',
      `WITH marked AS (
         INSERT INTO ${syncs} AS s (listing_id, marketplace_id, waiting_since)
         SELECT l.id, l.marketplace_id, now() FROM ${schema}.listings l
         WHERE l.product_id = ANY($1::bigint[]) AND l.marketplace_id = ANY($2::bigint[]) ORDER BY l.id
         ON CONFLICT (listing_id) DO UPDATE
           SET revision = s.revision + 1, waiting_since = coalesce(s.waiting_since, now()), is_repetition = false
         RETURNING s.marketplace_id
       )
       SELECT DISTINCT marketplace_id::float8 AS id FROM marked ORDER BY id`,
    ),
    // listings_by_marketplace_status, products_pkey. Forgets what was told, so that all of it is told again.
    markAgain: statement(
      'merchant_push_mark_again',
      `WITH marked AS (
         INSERT INTO ${syncs} AS s (listing_id, marketplace_id, waiting_since, is_repetition)
         SELECT l.id, l.marketplace_id, now(), true
         FROM ${schema}.listings l JOIN ${schema}.products p ON p.id = l.product_id
         WHERE l.marketplace_id = $1 AND l.status = 'live' AND p.status = 'active'
           AND ($2::bigint IS NULL OR p.merchant_id = $2) ORDER BY l.id LIMIT $3
         ON CONFLICT (listing_id) DO UPDATE
           SET revision = s.revision + 1, title = NULL, waiting_since = coalesce(s.waiting_since, now()),
               is_repetition = s.waiting_since IS NULL OR s.is_repetition
         RETURNING 1
       )
       SELECT count(*)::int AS count FROM marked`,
    ),
    // marketplace_syncs_pkey; only those for which no job is on its way
    want: statement(
      'merchant_push_want',
      `INSERT INTO ${schema}.marketplace_syncs AS s (marketplace_id, is_push_wanted)
       SELECT id, true FROM unnest($1::bigint[]) AS wanted (id) ORDER BY id
       ON CONFLICT (marketplace_id) DO UPDATE SET is_push_wanted = true WHERE NOT s.is_push_wanted
       RETURNING s.marketplace_id::float8 AS id`,
    ),
    // marketplace_syncs_pkey; for one that has begun anew
    forget: statement(
      'merchant_push_forget',
      `UPDATE ${schema}.marketplace_syncs SET cursor = NULL WHERE marketplace_id = ANY($1::bigint[])`,
    ),
    begin: statement(
      'merchant_push_begin',
      `UPDATE ${schema}.marketplace_syncs SET is_push_wanted = false WHERE marketplace_id = $1`,
    ),
    // marketplace_orders_unanswered
    unanswered: statement(
      'merchant_push_unanswered',
      `SELECT external_id AS "externalId", outcome, reason, order_ids::float8[] AS "orderIds"
       FROM ${schema}.marketplace_orders WHERE marketplace_id = $1 AND answered_at IS NULL
       ORDER BY received_at LIMIT ${ANSWERS}`,
    ),
    // marketplace_orders_pkey
    answered: statement(
      'merchant_push_answered',
      `UPDATE ${schema}.marketplace_orders SET answered_at = now(), objection = $3
       WHERE marketplace_id = $1 AND external_id = $2`,
    ),
    // marketplace_syncs_pkey
    succeeded: statement(
      'merchant_push_succeeded',
      `UPDATE ${schema}.marketplace_syncs SET told_at = now(), error = NULL, failed_at = NULL WHERE marketplace_id = $1`,
    ),
    // marketplace_syncs_pkey
    failed: statement(
      'merchant_push_failed',
      `UPDATE ${schema}.marketplace_syncs SET failed_at = now(), error = $2 WHERE marketplace_id = $1`,
    ),
  }
}
