import { statement } from '@tailwater/postgres'

/** The statements of the rounds in which marketplaces are asked. @param schema quoted and ready to interpolate */
export function roundStatements(schema: string) {
  return {
    // listing_syncs_waiting, marketplace_orders_unanswered; what was left by a job that has given up, too
    left: statement(
      'merchant_push_left',
      `SELECT k.id::float8 AS id FROM unnest($1::bigint[]) AS k (id)
       WHERE EXISTS (SELECT FROM ${schema}.listing_syncs s WHERE s.marketplace_id = k.id AND s.waiting_since IS NOT NULL)
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
