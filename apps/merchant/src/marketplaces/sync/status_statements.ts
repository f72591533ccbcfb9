import { statement } from '@tailwater/postgres'

/** @param schema quoted and ready to interpolate */
export function statusStatements(schema: string) {
  return {
    // marketplaces_slug_key; those that are not there yet are added
    add: statement(
      'merchant_sync_add_marketplaces',
      `INSERT INTO ${schema}.marketplaces (slug, name) SELECT slug, initcap(replace(slug, '-', ' ')) FROM unnest($1::text[]) AS given (slug)
       ON CONFLICT (slug) DO NOTHING`,
    ),
    // marketplaces_slug_key
    ids: statement(
      'merchant_sync_marketplace_ids',
      `SELECT id::float8 AS id, slug FROM ${schema}.marketplaces WHERE slug = ANY($1::text[])`,
    ),
    // marketplaces_pkey, marketplace_syncs_pkey, listing_syncs_waiting, marketplace_orders_received; $2 is whose listings and orders count
    status: statement(
      'merchant_sync_status',
      `SELECT k.id::float8 AS "marketplaceId", k.slug, s.read_at AS "readAt", s.told_at AS "toldAt",
              s.failed_at AS "failedAt", s.error,
              waiting.count AS "listingsWaiting", waiting.since AS "waitingSince",
              coalesce(extract(epoch FROM now() - waiting.since), 0)::float8 AS "lagSeconds",
              orders.accepted AS "ordersAccepted", orders.refused AS "ordersRefused", orders.unanswered AS "ordersUnanswered",
              orders.latest AS "latestOrderAt"
       FROM ${schema}.marketplaces k
       LEFT JOIN ${schema}.marketplace_syncs s ON s.marketplace_id = k.id
       CROSS JOIN LATERAL (
         SELECT count(*)::int AS count, min(w.waiting_since) AS since
         FROM ${schema}.listing_syncs w
         JOIN ${schema}.listings l ON l.id = w.listing_id JOIN ${schema}.products p ON p.id = l.product_id
         WHERE w.marketplace_id = k.id AND w.waiting_since IS NOT NULL AND ($2::bigint IS NULL OR p.merchant_id = $2)
       ) waiting
       CROSS JOIN LATERAL (
         SELECT count(*) FILTER (WHERE o.outcome = 'accepted')::int AS accepted,
                count(*) FILTER (WHERE o.outcome = 'refused')::int AS refused,
                count(*) FILTER (WHERE o.answered_at IS NULL)::int AS unanswered, max(o.received_at) AS latest
         FROM ${schema}.marketplace_orders o WHERE o.marketplace_id = k.id AND o.received_at > now() - interval '1 day'
           AND ($2::bigint IS NULL OR o.merchant_ids @> ARRAY[$2::bigint])
       ) orders
       WHERE k.id = $1`,
    ),
  }
}
