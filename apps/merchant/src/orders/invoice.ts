import type { FileStore } from '@tailwater/core'
import { type Jobs, type Kind, PermanentError } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import { writePage } from '../mails/mail_templates.ts'
import type { Order } from './order.ts'
import type { OrderStatements } from './order_statements.ts'

/** What invoices are made of. */
export interface InvoiceParts {
  database: Database
  statements: OrderStatements
  files: FileStore
}

/** Where an order's invoice is kept. */
export function invoiceKey({ id, merchantId }: Pick<Order, 'id' | 'merchantId'>): string {
  return `invoices/${merchantId}/${id}.html`
}

/** The job that writes an order's invoice. Running it again writes the same file. */
export function defineInvoice(jobs: Jobs, { database, statements, files }: InvoiceParts): Kind<{ orderId: number }> {
  return jobs.define<{ orderId: number }>({
    kind: 'order-invoice',
    queue: 'documents',
    async run({ payload: { orderId }, signal }) {
      const orders = await database.query<Order>(statements.one, [orderId, null], { signal })
      const order = orders.rows[0]
      if (!order) throw new PermanentError(`there is no order ${orderId} any more`)
      const people = await database.query<{ merchant: string; name: string | null }>(statements.confirmation, [orderId])
      const { merchant, name } = people.rows[0]!
      const day = order.placedAt.toISOString().slice(0, 10)
      const page = writePage('invoice', { order, merchant, name, day })
      const { key, bytes } = await files.write(invoiceKey(order), Buffer.from(page), { signal })
      return { key, bytes }
    },
  })
}
