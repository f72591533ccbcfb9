import { statement } from '@tailwater/postgres'

/** Listings that one round tells a marketplace of. */
export const ROUND = 50
/** Answers of one round. */
const ANSWERS = 100

/** The statements by which marketplaces are told. */
export type PushStatements = ReturnType<typeof pushStatements>

/** @param schema quoted and ready to interpolate */
export function pushStatements(schema: string) {
  const syncs = `${schema}.listing_syncs`
  return {
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
              told.may_be_there AS "mayBeThere"
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
         may_be_there = told.may_be_there,
         claimed_until = NULL, waiting_since = CASE WHEN s.revision = told.revision THEN NULL ELSE s.waiting_since END
       FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::numeric[], $5::int[], $6::text[],
         $7::boolean[]) AS told (listing_id, revision, title, price, quantity, refusal, may_be_there)
       WHERE s.listing_id = told.listing_id`,
    ),
    // listing_syncs_pkey. What has reached the marketplace is not known: the next time it is told everything.
    givenBack: statement(
      'merchant_push_given_back',
      `UPDATE ${syncs} SET claimed_until = NULL, title = NULL, may_be_there = true WHERE listing_id = ANY($1::bigint[])`,
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
    // listing_syncs_waiting, marketplace_orders_unanswered; what was left by a job that has given up, too
    left: statement(
      'merchant_push_left',
      `SELECT k.id::float8 AS id FROM unnest($1::bigint[]) AS k (id)
       WHERE EXISTS (SELECT FROM ${syncs} s WHERE s.marketplace_id = k.id AND s.waiting_since IS NOT NULL)
          OR EXISTS (SELECT FROM ${schema}.marketplace_orders o WHERE o.marketplace_id = k.id AND o.answered_at IS NULL)`,
    ),
    // marketplace_syncs_pkey; the one process whose turn it is
    takeTurn: statement(
      'merchant_push_take_turn',
      `INSERT INTO ${schema}.marketplace_syncs AS s (marketplace_id, asked_at)
       SELECT id, now() FROM unnest($1::bigint[]) AS asked (id) ORDER BY id
       ON CONFLICT (marketplace_id) DO UPDATE SET asked_at = now()
         WHERE s.asked_at IS NULL OR s.asked_at <= now() - $2::int * interval '1 millisecond'
       RETURNING s.marketplace_id::float8 AS id, s.cursor`,
    ),
    // marketplace_syncs_pkey
    keepCursor: statement(
      'merchant_push_keep_cursor',
      `UPDATE ${schema}.marketplace_syncs SET cursor = $2, read_at = now() WHERE marketplace_id = $1`,
    ),
  }
}
