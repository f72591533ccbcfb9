import type { Cache } from '@tailwater/cache'
import type { Duration } from '@tailwater/core'
import type { ProductCache } from '../catalogue/product_cache.ts'

/** How long a product is served from the cache. */
const TTL = '30s'
/** How long that there is no such product. */
const NEGATIVE_TTL = '5s'

/** Single products, forgotten in every process when one of them changes a product. @param ttl how long one is fresh */
export function cachedProducts(cache: Cache, ttl: Duration = TTL): ProductCache {
  return {
    get: (id, load) => cache.getOrSet({ key: `product:${id}`, ttl, negativeTtl: NEGATIVE_TTL, load }),
    invalidate: (id) => cache.delete(`product:${id}`),
  }
}
