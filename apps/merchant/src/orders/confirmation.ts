import type { Mailer } from '@tailwater/core'
import type { Jobs, Kind } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import { type MailData, writeMail } from '../mails/mail_templates.ts'
import type { OrderStatements } from './order_statements.ts'

interface ConfirmationRow extends Omit<MailData['order-confirmation'], 'lines'> {
  email: string | null
}

/**
 * The job that tells a customer of the order.
 *
 * Its payload is the order's id alone: addresses stay in the customers' table. It may run twice, so the mail carries
 * the order's id as its own, by which the second is recognised.
 */
export function defineConfirmation(
  jobs: Jobs,
  { database, mailer, statements }: { database: Database; mailer: Mailer; statements: OrderStatements },
): Kind<{ orderId: number }> {
  return jobs.define<{ orderId: number }>({
    kind: 'order-confirmation',
    queue: 'email',
    async run({ payload: { orderId }, signal }) {
      const { rows } = await database.query<ConfirmationRow>(statements.confirmation, [orderId], { signal })
      const order = rows[0]
      if (!order?.email) return { sent: false }
      const found = await database.query<Pick<MailData['order-confirmation'], 'lines'>>(statements.one, [orderId, null])
      const { subject, text, html } = writeMail('order-confirmation', { ...order, lines: found.rows[0]!.lines })
      const messageId = `order-${orderId}@merchant.tailwater`
      await mailer.send({ to: order.email, subject, text, html, messageId }, { signal })
      return { sent: true }
    },
  })
}
