import { problem } from '@tailwater/http'
import type { Queryable } from '@tailwater/postgres'
import type { Scope } from '../accounts/caller.ts'
import type { Order } from './order.ts'
import type { OrderStatements } from './order_statements.ts'

/** Reads one order. @throws E_NOT_FOUND, also for another merchant's */
export async function readOrder(
  database: Queryable,
  statements: OrderStatements,
  id: number,
  scope: Scope,
): Promise<Order> {
  const { rows } = await database.query<Order>(statements.one, [id, scope])
  if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no order ${id}.`)
  return rows[0]
}
