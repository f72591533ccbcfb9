import type { ShopEvent } from '../events/shop_event.ts'
import type { Order } from './order.ts'

/** What is told of an order that was placed. */
export function orderPlaced({ id, merchantId, marketplaceId, total, currency }: Order): ShopEvent {
  return { topic: 'order.placed', body: { orderId: id, merchantId, marketplaceId, total, currency } }
}
