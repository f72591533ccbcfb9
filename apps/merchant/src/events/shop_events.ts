import type { Exchange, Level, Messaging } from '@tailwater/messaging'
import type { Transaction } from '@tailwater/postgres'
import { type ShopEvent, shopTopicSchemas } from './shop_event.ts'

/** Where the shop tells what happens in it. */
export interface ShopEvents {
  readonly exchange: Exchange<typeof shopTopicSchemas>
  /** Within the transaction that does it: what was not done is not told, and what was done is, though the process dies right after it. */
  publish(tx: Transaction, events: readonly ShopEvent[]): Promise<void>
}

/** Name of the exchange on which everything that happens in the shop is told. */
export const SHOP_EXCHANGE = 'shop'
/** Orders of this amount and more are seen to first, in whichever currency. */
const LARGE_ORDER = 500

/** Declares the shop's exchange. */
export function defineShopEvents(messaging: Messaging): ShopEvents {
  const exchange = messaging.exchange(SHOP_EXCHANGE, { type: 'topic', topics: shopTopicSchemas })
  return {
    exchange,
    async publish(tx, events) {
      if (events.length === 0) return
      const requests = events.map((event) => ({
        topic: event.topic,
        body: event.body,
        options: { level: levelOf(event) },
      }))
      await exchange.publishMany(requests, { tx })
    },
  }
}

function levelOf(event: ShopEvent): Level {
  return event.topic === 'order.placed' && event.body.total >= LARGE_ORDER ? 'high' : 'normal'
}

/** Says that the stock of products has changed; nothing where there are none. */
export function stockChanged(merchantId: number, productIds: readonly number[]): ShopEvent[] {
  return productIds.length === 0 ? [] : [{ topic: 'stock.changed', body: { merchantId, productIds: [...productIds] } }]
}
