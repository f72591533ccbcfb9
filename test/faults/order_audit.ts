import type { Queryable } from '@tailwater/postgres'

/** What must be zero, counted over all orders placed after `since`. */
export interface OrderAudit {
  orders: number
  withoutLines: number
  withoutPayment: number
  withoutJob: number
  /** Pieces reserved beyond, or short of, what the orders hold. */
  reservedAstray: number
  unfinishedJobs: number
}

/** Counts orders that are not whole. @param since highest order id before the test */
export async function auditOrders(database: Queryable, since: number, reservedBefore: number): Promise<OrderAudit> {
  const { rows } = await database.query<OrderAudit>(
    `WITH jobs AS (
       SELECT kind, state::text, payload FROM tailwater.jobs_live UNION ALL SELECT kind, state::text, payload FROM tailwater.jobs_ended)
     SELECT count(*)::int AS orders,
       count(*) FILTER (WHERE NOT EXISTS (SELECT FROM merchant.order_lines l WHERE l.order_id = o.id))::int AS "withoutLines",
       count(*) FILTER (WHERE NOT EXISTS (SELECT FROM merchant.payments p WHERE p.order_id = o.id))::int AS "withoutPayment",
       count(*) FILTER (WHERE NOT EXISTS (
         SELECT FROM jobs j WHERE j.kind = 'order-confirmation' AND (j.payload::jsonb->>'orderId')::bigint = o.id))::int AS "withoutJob",
       (SELECT sum(reserved)::int FROM merchant.stock) - $2::int - count(*)::int AS "reservedAstray",
       (SELECT count(*)::int FROM jobs WHERE state IN ('available', 'running', 'retryable')) AS "unfinishedJobs"
     FROM merchant.orders o WHERE id > $1`,
    [since, reservedBefore],
  )
  return rows[0]!
}

/** Which of the confirmed orders are not there. */
export async function missingOrders(database: Queryable, ids: readonly number[]): Promise<number[]> {
  const { rows } = await database.query<{ id: number }>(
    `SELECT wanted.id::float8 AS id FROM unnest($1::bigint[]) AS wanted(id)
     WHERE NOT EXISTS (SELECT FROM merchant.orders o WHERE o.id = wanted.id)`,
    [ids],
  )
  return rows.map(({ id }) => id)
}
