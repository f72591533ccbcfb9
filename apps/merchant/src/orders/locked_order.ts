import { problem } from '@tailwater/http'
import type { Queryable } from '@tailwater/postgres'
import type { OrderStatus } from './order.ts'
import type { OrderStatements } from './order_statements.ts'
import { moveStock, type Pieces, type StockStatements, sumPieces } from './stock.ts'

/** An order that nobody else can cancel or take back until the transaction ends. */
export interface LockedOrder {
  id: number
  merchantId: number
  kind: 'order' | 'return'
  status: OrderStatus
  externalId: string | null
  marketplaceId: number | null
}

/** The sold pieces of one line that have not come back yet. */
export interface ReturnableLine extends Pieces {
  ordinal: number
  unitPrice: number
}

/**
 * Locks an order. Orders are locked before stock, everywhere.
 *
 * @param merchantId whose it must be; null for anybody's
 * @throws E_NOT_FOUND
 */
export async function lockOrder(
  tx: Queryable,
  statements: OrderStatements,
  id: number,
  merchantId: number | null,
): Promise<LockedOrder> {
  const { rows } = await tx.query<LockedOrder>(statements.lock, [id, merchantId])
  if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no order ${id}.`)
  return rows[0]
}

/** What of an order could still come back. */
export async function readReturnableLines(
  tx: Queryable,
  statements: OrderStatements,
  orderId: number,
): Promise<ReturnableLine[]> {
  const { rows } = await tx.query<ReturnableLine>(statements.returnableLines, [orderId])
  return rows
}

/**
 * Makes the pieces of an order available again: those still in the house by ending their reservation, those that
 * left it by counting them back in. Imported orders never moved stock, so they don't here; those of marketplaces did.
 */
export async function putBack(
  tx: Queryable,
  statements: StockStatements,
  order: LockedOrder,
  lines: readonly Pieces[],
): Promise<number[]> {
  if (order.externalId !== null && order.marketplaceId === null) return []
  const pieces = sumPieces(lines.filter((line) => line.productId !== null && line.quantity > 0))
  if (pieces.length === 0) return []
  const move = order.status === 'completed' ? statements.takeBack : statements.unreserve
  return [...(await moveStock(tx, move, pieces))]
}
