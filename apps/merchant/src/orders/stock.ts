import type { Queryable, Statement } from '@tailwater/postgres'
import { statement } from '@tailwater/postgres'

/** Pieces of one product. */
export interface Pieces {
  productId: number
  quantity: number
}

/** A product of which fewer are left than wanted. */
export interface Shortage {
  productId: number
  available: number
}

/** The statements that move stock. */
export type StockStatements = ReturnType<typeof stockStatements>

/**
 * Each movement is one statement that first locks its rows in the order of their ids.
 *
 * Two orders that share products therefore always meet at the lowest of them, and one waits for the other: without
 * that order they could each hold what the other wants. It only works if nothing else locks stock rows in another order.
 *
 * @param schema quoted and ready to interpolate
 */
export function stockStatements(schema: string) {
  const move = (set: string, condition: string) => `
    WITH locked AS MATERIALIZED (
      SELECT product_id FROM ${schema}.stock WHERE product_id = ANY($1::bigint[]) ORDER BY product_id FOR NO KEY UPDATE
    )
    UPDATE ${schema}.stock s SET ${set}, updated_at = now()
    FROM locked JOIN unnest($1::bigint[], $2::int[]) AS wanted (product_id, quantity) USING (product_id)
    WHERE s.product_id = locked.product_id ${condition}
    RETURNING s.product_id::float8 AS "productId"`
  return {
    reserve: statement(
      'merchant_stock_reserve',
      move('reserved = s.reserved + wanted.quantity', 'AND s.on_hand - s.reserved >= wanted.quantity'),
    ),
    unreserve: statement('merchant_stock_unreserve', move('reserved = s.reserved - wanted.quantity', '')),
    takeBack: statement('merchant_stock_take_back', move('on_hand = s.on_hand + wanted.quantity', '')),
    available: statement(
      'merchant_stock_available',
      `SELECT product_id::float8 AS "productId", on_hand - reserved AS available
       FROM ${schema}.stock WHERE product_id = ANY($1::bigint[])`,
    ),
  }
}

/** Adds up what several lines want of the same product. */
export function sumPieces(lines: readonly Pieces[]): Pieces[] {
  const sums = new Map<number, number>()
  for (const { productId, quantity } of lines) sums.set(productId, (sums.get(productId) ?? 0) + quantity)
  return [...sums].map(([productId, quantity]) => ({ productId, quantity }))
}

/**
 * Sets pieces aside for an order, inside its transaction.
 *
 * @returns what is short; anything but an empty list means that the transaction must be rolled back
 */
export async function reserveStock(
  tx: Queryable,
  statements: StockStatements,
  pieces: readonly Pieces[],
): Promise<Shortage[]> {
  const reserved = await moveStock(tx, statements.reserve, pieces)
  if (reserved.size === pieces.length) return []
  const missing = pieces.filter(({ productId }) => !reserved.has(productId))
  const { rows } = await tx.query<Shortage>(statements.available, [missing.map(({ productId }) => productId)])
  const left = new Map(rows.map((row) => [row.productId, row.available]))
  return missing.map(({ productId }) => ({ productId, available: left.get(productId) ?? 0 }))
}

/** Moves pieces by one of the statements above; gives the products whose stock moved. */
export async function moveStock(tx: Queryable, move: Statement, pieces: readonly Pieces[]): Promise<Set<number>> {
  const { rows } = await tx.query<{ productId: number }>(move, [
    pieces.map(({ productId }) => productId),
    pieces.map(({ quantity }) => quantity),
  ])
  return new Set(rows.map((row) => row.productId))
}
