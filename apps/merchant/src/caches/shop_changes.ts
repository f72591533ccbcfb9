import type { Cache } from '@tailwater/cache'
import type { Transaction } from '@tailwater/postgres'
import { shopTags } from './shop_tags.ts'

/** Where a product is found in lists. */
export interface ProductPlace {
  merchantId: number
  /** Ids and slugs of its category and of all above it. */
  categories: readonly string[]
}

/**
 * Tells the caches of what a transaction changes.
 *
 * All of it takes effect with the commit and not at all without one, in every process: the news stands in the outbox beside the change.
 */
export interface ShopChanges {
  /** An order was placed, cancelled or taken back: figures of its merchant, and how many pieces of the products are left. */
  order(tx: Transaction, merchantId: number, productIds: readonly number[]): Promise<void>
  /** A product has changed in itself: its pieces, its images. */
  product(tx: Transaction, id: number): Promise<void>
  /** A product has come, gone, moved in lists, or is called otherwise. @param places where it was, and where it is now */
  catalogue(tx: Transaction, id: number, places: readonly ProductPlace[]): Promise<void>
  categories(tx: Transaction): Promise<void>
  customer(tx: Transaction, merchantId: number): Promise<void>
  listing(tx: Transaction, merchantId: number): Promise<void>
}

/** Most tags that one invalidation names. */
const TAGS_AT_ONCE = 32

/** Tells a cache of changes. */
export function createShopChanges(cache: Cache): ShopChanges {
  async function forget(tx: Transaction, tags: readonly string[], productIds: readonly number[] = []): Promise<void> {
    const names = [...new Set(tags)]
    const products = productIds.length === 0 ? {} : { namespace: 'product', keys: productIds.map(String) }
    await cache.invalidate({ ...products, tags: names.slice(0, TAGS_AT_ONCE) }, { tx })
    for (let at = TAGS_AT_ONCE; at < names.length; at += TAGS_AT_ONCE)
      await cache.invalidate({ tags: names.slice(at, at + TAGS_AT_ONCE) }, { tx })
  }

  const shown = (ids: readonly number[]) =>
    ids.length === 0 ? [] : [shopTags.anyProduct, ...ids.map((id) => shopTags.product(id))]
  const scoped = (tag: (scope: number | null) => string, merchantId: number) => [tag(null), tag(merchantId)]

  return {
    order: (tx, merchantId, ids) => forget(tx, [...scoped(shopTags.sales, merchantId), ...shown(ids)], ids),
    product: (tx, id) => forget(tx, shown([id]), [id]),
    catalogue(tx, id, places) {
      const tags = places.flatMap(({ merchantId, categories }) => [
        shopTags.catalogueOf(merchantId),
        ...categories.map((category) => shopTags.category(category)),
      ])
      return forget(tx, [shopTags.catalogue, ...shown([id]), ...tags], [id])
    },
    categories: (tx) => forget(tx, [shopTags.categories]),
    customer: (tx, merchantId) => forget(tx, scoped(shopTags.customers, merchantId)),
    listing: (tx, merchantId) => forget(tx, scoped(shopTags.listings, merchantId)),
  }
}

const nothing = async (): Promise<void> => {}

/** Tells nobody: nothing is kept. */
export const noChanges: ShopChanges = {
  order: nothing,
  product: nothing,
  catalogue: nothing,
  categories: nothing,
  customer: nothing,
  listing: nothing,
}
