import type { JobKind, JobRunner, Mailer } from '@tailwater/core'
import type { Database, SqlExecutor } from '@tailwater/postgres'
import type { OrderStatements } from './order_statements.ts'

interface ConfirmationRow {
  id: number
  total: number
  merchant: string
  currency: string
  name: string | null
  email: string | null
}

/**
 * The job that tells a customer of the order.
 *
 * Its payload is the order's id alone: addresses stay in the customers' table. It may run twice, so the mail carries
 * the order's id as its own, by which the second is recognised.
 */
export function defineConfirmation(
  jobs: JobRunner<SqlExecutor>,
  { database, mailer, statements }: { database: Database; mailer: Mailer; statements: OrderStatements },
): JobKind<{ orderId: number }, SqlExecutor> {
  return jobs.define<{ orderId: number }>({
    kind: 'order-confirmation',
    async run({ payload, signal }) {
      const { rows } = await database.query<ConfirmationRow>(statements.confirmation, [payload.orderId], { signal })
      const order = rows[0]
      if (!order?.email) return { sent: false }
      await mailer.send(writeConfirmation(order, order.email), { signal })
      return { sent: true }
    },
  })
}

function writeConfirmation({ id, total, merchant, currency, name }: ConfirmationRow, to: string) {
  return {
    to,
    subject: `Your order ${id} at ${merchant}`,
    text: `Dear ${name},\n\nthank you for your order ${id} of ${total.toFixed(2)} ${currency}.\n\n${merchant}\n`,
    messageId: `order-${id}@merchant.tailwater`,
  }
}
