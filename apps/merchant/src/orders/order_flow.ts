import type { FileStore, Mailer } from '@tailwater/core'
import type { Jobs, Kind } from '@tailwater/jobs'
import type { Database, Transaction } from '@tailwater/postgres'
import type { AuditTrail } from '../audit/audit_trail.ts'
import type { Notice } from '../notifications/notify.ts'
import { ownerTag } from '../queues/ownership.ts'
import { defineConfirmation } from './confirmation.ts'
import { defineFulfilment } from './fulfilment.ts'
import { defineInvoice } from './invoice.ts'
import type { Order } from './order.ts'
import type { OrderStatements } from './order_statements.ts'

/** What follows an order. */
export interface OrderFlow {
  /** Stores all of it in the transaction that writes the order: with the order it exists, and without it none. */
  begin(tx: Transaction, order: Order): Promise<void>
}

/** What the flow is made of. */
export interface OrderFlowParts {
  database: Database
  statements: OrderStatements
  mailer: Mailer
  files: FileStore
  notify: Kind<Notice>
  audit: AuditTrail
}

/*
 *   order-confirmation  (the customer's mail)      \
 *   order-invoice       (the document)              \
 *   notify              (the merchant's inbox)       >  order-fulfilment, which waits for all four
 *   audit-entry         (who did what)              /
 */

/** Defines the jobs that follow an order, and puts them together. */
export function defineOrderFlow(jobs: Jobs, parts: OrderFlowParts): OrderFlow {
  const confirmation = defineConfirmation(jobs, parts)
  const invoice = defineInvoice(jobs, parts)
  const fulfilment = defineFulfilment(jobs, parts)
  return {
    async begin(tx, order) {
      const { id: orderId, merchantId } = order
      const own = { tags: [ownerTag(merchantId)] }
      const children = [
        confirmation.job({ orderId }, own),
        invoice.job({ orderId }, own),
        parts.notify.job(noticeOf(order), own),
        parts.audit.job({ merchantId, actor: 'checkout', action: 'order.placed', subject: `order:${orderId}` }),
      ]
      await jobs.flow({ job: fulfilment.job({ orderId }, own), children, onChildFailure: 'ignore' }, { tx })
    },
  }
}

function noticeOf({ id, merchantId, total, currency, lines }: Order): Notice {
  const pieces = lines.reduce((sum, { quantity }) => sum + quantity, 0)
  return {
    merchantId,
    topic: 'order-placed',
    key: `order-placed:${id}`,
    title: `Order ${id} was placed`,
    text: `${pieces} pieces for ${total.toFixed(2)} ${currency}.`,
    link: `/orders/${id}`,
  }
}
