import type { Subscription } from '@tailwater/messaging'
import type { Database } from '@tailwater/postgres'
import type { ShopBody } from '../events/shop_event.ts'
import type { ShopEvents } from '../events/shop_events.ts'
import type { Pushing } from '../marketplaces/sync/sync_jobs.ts'

/** What following products is made of. */
export interface ProductSyncParts {
  database: Database
  events: ShopEvents
  pushing: Pick<Pushing, 'productsChanged'>
}

type Changed = ShopBody<'product.updated'> | ShopBody<'stock.changed'>

/** Has marketplaces told of products that have changed. Only their numbers are noted: whatever they are when they are told is told, so a message that comes twice or late does no harm. */
export function subscribeToProducts({ database, events, pushing }: ProductSyncParts): Subscription {
  return events.exchange.subscribe<Changed>(
    'product-sync',
    ['product.updated', 'stock.changed'],
    async ({ body, signal }) => {
      const ids = 'productIds' in body ? body.productIds : [body.productId]
      await database.transaction((tx) => pushing.productsChanged(tx, ids), { signal, retries: 2 })
    },
    { concurrency: 4 },
  )
}
