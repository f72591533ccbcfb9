import type { JobKind } from '@tailwater/core'
import type { Database, SqlExecutor } from '@tailwater/postgres'
import type { ShopEvents } from '../events/shop_events.ts'
import type { PaymentProvider } from '../payments/payment_provider.ts'
import type { LockedOrder } from './locked_order.ts'
import type { OrderStatements } from './order_statements.ts'

/** What taking the money is made of. */
export interface CaptureParts {
  database: Database
  statements: OrderStatements
  payments: PaymentProvider
  release: JobKind<{ reference: string }, SqlExecutor>
  events: ShopEvents
}

/**
 * Takes the money that was set aside for an order, and says that it is paid.
 *
 * The provider is asked outside of any transaction, so an order may be cancelled meanwhile: then its money, taken a moment too late, is let go once more. Doing it all again changes nothing.
 *
 * @returns whether the order is paid by this
 */
export async function capturePayment(parts: CaptureParts, orderId: number, signal: AbortSignal): Promise<boolean> {
  const { database, statements, payments } = parts
  const { rows } = await database.query<{ reference: string; provider: string; status: string }>(
    statements.payment,
    [orderId],
    { signal },
  )
  const payment = rows[0]
  if (payment?.provider !== payments.name || payment.status !== 'authorised') return false
  if (!(await payments.capture(payment.reference, { signal }))) return false
  return database.transaction(
    async (tx) => {
      const order = (await tx.query<LockedOrder>(statements.lock, [orderId, null])).rows[0]
      if (order?.status === 'cancelled') await parts.release.enqueue({ reference: payment.reference }, { tx })
      if (order?.status !== 'placed') return false
      await tx.query(statements.setStatus, [orderId, 'paid'])
      await tx.query(statements.setPaymentStatus, [orderId, 'captured'])
      const { merchantId } = order
      await parts.events.publish(tx, [{ topic: 'order.paid', body: { orderId, merchantId } }])
      return true
    },
    { signal, retries: 2 },
  )
}
