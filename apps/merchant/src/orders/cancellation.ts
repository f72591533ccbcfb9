import type { JobKind } from '@tailwater/core'
import { problem } from '@tailwater/http'
import type { Database, SqlExecutor, Transaction } from '@tailwater/postgres'
import type { Scope } from '../accounts/caller.ts'
import type { AuditTrail } from '../audit/audit_trail.ts'
import type { ShopChanges } from '../caches/shop_changes.ts'
import { type ShopEvents, stockChanged } from '../events/shop_events.ts'
import { MARKETPLACE_PROVIDER } from '../payments/payment_provider.ts'
import { lockOrder, putBack, readReturnableLines } from './locked_order.ts'
import type { OrderStatements } from './order_statements.ts'
import type { StockStatements } from './stock.ts'

/** What cancelling is made of. */
export interface CancellationParts {
  database: Database
  statements: OrderStatements
  stock: StockStatements
  release: JobKind<{ reference: string }, SqlExecutor>
  changes: ShopChanges
  events: ShopEvents
  audit: AuditTrail
}

/** Which order, and by whom. */
export interface CancellationRequest {
  orderId: number
  /** Whose it must be; null for anybody's. */
  scope: Scope
  actor: string
}

/**
 * Takes an order back whole, before it has left: stock is free again and the payment is let go.
 *
 * The provider is told by a job of the same transaction, so that neither a crash nor an unreachable provider can leave
 * a cancelled order paid. Cancelling a cancelled order changes nothing.
 *
 * @throws E_NOT_FOUND, E_ORDER_NOT_CANCELLABLE
 */
export async function cancelOrder(parts: CancellationParts, request: CancellationRequest): Promise<void> {
  const { orderId: id, scope, actor } = request
  const { database, statements } = parts
  await database.transaction(
    async (tx) => {
      const order = await lockOrder(tx, statements, id, scope)
      if (order.status === 'cancelled') return
      if (order.kind !== 'order' || (order.status !== 'placed' && order.status !== 'paid'))
        throw problem(409, 'E_ORDER_NOT_CANCELLABLE', `This ${order.kind} is ${order.status}: it cannot be cancelled.`)
      await refuseIfPartlyReturned(tx, statements, id)
      const changed = await putBack(tx, parts.stock, order, await readReturnableLines(tx, statements, id))
      await tx.query(statements.setStatus, [id, 'cancelled'])
      await releasePayment(tx, parts, id)
      await parts.changes.order(tx, order.merchantId, changed)
      const { merchantId } = order
      const cancelled = { topic: 'order.cancelled', body: { orderId: id, merchantId } } as const
      await parts.events.publish(tx, [cancelled, ...stockChanged(merchantId, changed)])
      await parts.audit.record(tx, { merchantId, actor, action: 'order.cancelled', subject: `order:${id}` })
    },
    { retries: 2 },
  )
}

async function refuseIfPartlyReturned(tx: Transaction, statements: OrderStatements, id: number): Promise<void> {
  const { rows } = await tx.query(statements.anyReturn, [id])
  if (rows.length > 0)
    throw problem(409, 'E_ORDER_NOT_CANCELLABLE', 'A part of the order was returned. Return the rest instead.')
}

async function releasePayment(tx: Transaction, parts: CancellationParts, orderId: number): Promise<void> {
  const { rows } = await tx.query<{ reference: string; provider: string }>(parts.statements.payment, [orderId])
  if (!rows[0]) return
  await tx.query(parts.statements.setPaymentStatus, [orderId, 'voided'])
  // A marketplace gives its buyers' money back itself.
  if (rows[0].provider === MARKETPLACE_PROVIDER) return
  await parts.release.enqueue({ reference: rows[0].reference }, { tx })
}
