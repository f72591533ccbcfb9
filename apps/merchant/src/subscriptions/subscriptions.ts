import type { Clock } from '@tailwater/core'
import type { Kind } from '@tailwater/jobs'
import type { Notice } from '../notifications/notify.ts'
import type { CaptureParts } from '../orders/capture.ts'
import { analyticsEventStatements, subscribeToEverything } from './analytics_events.ts'
import { subscribeToNotices } from './order_notices.ts'
import { subscribeToPayments } from './order_payments.ts'
import { type ProductSyncParts, subscribeToProducts } from './product_sync.ts'

/** What those who hear of the shop's events are made of. */
export interface SubscriptionParts extends CaptureParts, ProductSyncParts {
  /** Quoted and ready to interpolate. */
  schema: string
  notify: Kind<Notice>
  clock: Clock
}

/**
 * Serves every subscription to the shop's events: once messaging has started, and in each process.
 *
 * - `orders`: takes the money of orders that were placed
 * - `notifications`: tells merchants of cancelled and returned orders
 * - `product-sync`: has marketplaces told of products that changed
 * - `analytics`: keeps every event in a table
 */
export function subscribeToShop(parts: SubscriptionParts): void {
  const { database, events, notify, clock, schema } = parts
  subscribeToPayments(parts)
  subscribeToNotices(events, notify)
  subscribeToProducts(parts)
  subscribeToEverything({ database, events, clock, statements: analyticsEventStatements(schema) })
}
