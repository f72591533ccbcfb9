import type { Kind } from '@tailwater/jobs'
import type { Subscription } from '@tailwater/messaging'
import type { ShopBody } from '../events/shop_event.ts'
import type { ShopEvents } from '../events/shop_events.ts'
import type { Notice } from '../notifications/notify.ts'
import { ownerTag } from '../queues/ownership.ts'

type Cancelled = ShopBody<'order.cancelled'>
type Returned = ShopBody<'order.returned'>

/** Tells merchants of orders that come to nothing: in their inbox, and by e-mail and short message where they have asked for it. Told of an order twice, they hear of it once. */
export function subscribeToNotices(events: ShopEvents, notify: Kind<Notice>): Subscription {
  return events.exchange.subscribe<Cancelled | Returned>(
    'notifications',
    ['order.cancelled', 'order.returned'],
    async ({ body }) => {
      const notice = 'returnId' in body ? returned(body) : cancelled(body)
      await notify.enqueue(notice, { tags: [ownerTag(body.merchantId)] })
    },
    { concurrency: 5 },
  )
}

function cancelled({ orderId, merchantId }: Cancelled): Notice {
  return {
    merchantId,
    topic: 'order-cancelled',
    key: `order-cancelled:${orderId}`,
    title: `Order ${orderId} was cancelled`,
    text: 'Its pieces are free again. Do not pack it.',
    link: `/orders/${orderId}`,
  }
}

function returned({ orderId, returnId, merchantId }: Returned): Notice {
  return {
    merchantId,
    topic: 'order-returned',
    key: `order-returned:${returnId}`,
    title: `Order ${orderId} comes back`,
    text: `See ${returnId} for what of it does.`,
    link: `/orders/${returnId}`,
  }
}
