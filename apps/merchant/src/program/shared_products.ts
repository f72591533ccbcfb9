import { createCache } from '@tailwater/cache'
import { type Bus, backgroundError, type Clock, createService, type Service, toError } from '@tailwater/core'
import type { Product } from '../catalogue/product.ts'
import type { ProductCache } from '../catalogue/product_cache.ts'

/** How long a product is served from memory: as stale as it may be seen while the bus is away. */
const TTL = '30s'
const TOPIC = 'merchant.product.changed'

/**
 * Single products in memory, forgotten in every process when one of them changes a product.
 *
 * The change is told after its commit. Another process may serve the old product for the moment that the message takes.
 */
export function createSharedProducts(bus: Bus, clock: Clock): Service & { cache: ProductCache } {
  const cache = createCache<Product | undefined>({ name: 'product', ttl: TTL, clock })
  let end = async () => {}
  const service = createService('shared-products', {
    async start() {
      end = await bus.subscribe(TOPIC, {
        onMessage: ({ payload }) => cache.delete(String(payload)),
        onGap: () => cache.clear(),
      })
    },
    stop: () => end(),
  })
  return {
    ...service,
    cache: {
      get: (id, load) => cache.getOrSet({ key: String(id), load }),
      invalidate(id) {
        cache.delete(String(id))
        // Nobody waits for the others to hear of it; what is lost with the bus away is made up for by the ttl.
        bus.publish(TOPIC, id).catch((error: unknown) => {
          if (backgroundError.hasSubscribers)
            backgroundError.publish({ source: 'shared-products', error: toError(error) })
        })
      },
    },
  }
}
