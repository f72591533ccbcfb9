import { type ChildResult, type Jobs, type Kind, PermanentError, type RunningJob } from '@tailwater/jobs'
import type { Database } from '@tailwater/postgres'
import type { Notice } from '../notifications/notify.ts'
import { ownerTag } from '../queues/ownership.ts'
import type { LockedOrder } from './locked_order.ts'
import type { OrderStatements } from './order_statements.ts'

/** What fulfilling is made of. */
export interface FulfilmentParts {
  database: Database
  statements: OrderStatements
  notify: Kind<Notice>
}

/**
 * The job that hands an order on to be packed, when all of its confirmation has ended, well or not: a mailbox that is full must not keep a parcel back.
 *
 * An order that was cancelled meanwhile is not packed. Under the order's lock, so that whoever cancels comes before, and is seen, or after. Running it again changes nothing.
 */
export function defineFulfilment(jobs: Jobs, parts: FulfilmentParts): Kind<{ orderId: number }> {
  return jobs.define<{ orderId: number }>({
    kind: 'order-fulfilment',
    run: (job) => fulfil(job, parts),
  })
}

async function fulfil(job: RunningJob<{ orderId: number }>, { database, statements, notify }: FulfilmentParts) {
  const { orderId } = job.payload
  const missing = (await job.children()).filter(({ state }) => state !== 'completed').map(nameOf)
  if (missing.length > 0) job.log(`did not come about: ${missing.join(', ')}`)
  return database.transaction(
    async (tx) => {
      const { rows } = await tx.query<LockedOrder>(statements.lock, [orderId, null])
      const order = rows[0]
      if (!order) throw new PermanentError(`there is no order ${orderId} any more`)
      if (order.status === 'cancelled') return { requested: false, why: 'cancelled' }
      const made = await tx.query(statements.insertFulfilment, [orderId, missing])
      if (made.rows.length === 0) return { requested: false, why: 'requested before' }
      await notify.enqueue(noticeOf(order, missing), { tx, tags: [ownerTag(order.merchantId)] })
      return { requested: true, missing }
    },
    { signal: job.signal, retries: 2 },
  )
}

const nameOf = ({ kind }: ChildResult) => kind

function noticeOf({ id, merchantId }: LockedOrder, missing: readonly string[]): Notice {
  const all = 'It was confirmed, and can be packed.'
  return {
    merchantId,
    topic: 'order-ready',
    key: `order-ready:${id}`,
    title: `Order ${id} is ready`,
    text: missing.length === 0 ? all : `${all} Not done: ${missing.join(', ')}.`,
    link: `/orders/${id}`,
  }
}
