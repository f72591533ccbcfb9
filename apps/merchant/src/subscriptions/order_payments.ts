import type { Subscription } from '@tailwater/messaging'
import type { ShopBody } from '../events/shop_event.ts'
import { type CaptureParts, capturePayment } from '../orders/capture.ts'

/** Takes the money of orders that were placed, the large ones first: again and again until the provider has answered, for about a day. */
export function subscribeToPayments(parts: CaptureParts): Subscription {
  return parts.events.exchange.subscribe<ShopBody<'order.placed'>>(
    'orders',
    'order.placed',
    async ({ body, signal }) => {
      await capturePayment(parts, body.orderId, signal)
    },
    {
      levels: ['high', 'normal'],
      concurrency: 10,
      attempts: 30,
      backoff: { type: 'exponential', delay: '1s', max: '1h', jitter: 0.25 },
      timeout: '30s',
    },
  )
}
