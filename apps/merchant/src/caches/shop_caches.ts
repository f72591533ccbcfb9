import type { Cache, CacheNamespace } from '@tailwater/cache'
import type { Reply } from '@tailwater/http'
import type { Database, Queryable } from '@tailwater/postgres'
import type { Product } from '../catalogue/product.ts'
import { type Answers, forgetAnswers, keepAnswers } from './answers.ts'
import { type Kept, lifetimes } from './lifetimes.ts'
import { createShopChanges, noChanges, type ShopChanges } from './shop_changes.ts'

/** Single products by id. */
export interface ProductCache {
  get(id: number): Promise<Product | undefined>
  /** Brings many into the cache. */
  warm(ids: readonly number[], signal: AbortSignal): Promise<unknown>
}

/** How products are read from the database. */
export interface ProductSource {
  one(id: number): Promise<Product | undefined>
  many(ids: readonly number[]): Promise<ReadonlyMap<number, Product>>
}

/** What the merchant keeps in front of its database. */
export interface ShopCaches {
  readonly lists: Answers<Reply>
  readonly searches: Answers<Reply>
  /** Counts of product lists; undefined when nothing is kept. */
  readonly totals: Answers<number> | undefined
  readonly categories: Answers<Reply>
  readonly analytics: Answers<Reply>
  readonly listings: Answers<Reply>
  readonly changes: ShopChanges
  /** Products worth having before anybody asks. */
  readonly hotProducts: number
  products(source: ProductSource): ProductCache
  /** Where answers that are kept are read: a replica may be behind a write that has just been told of. */
  sourceOf(database: Database): Queryable
}

/** Half of what a process keeps by default, and what a shared store keeps without noticing: some 40 MB. */
const HOT_ALONE = 5_000
const HOT_SHARED = 30_000

/**
 * Keeps the merchant's answers in a cache. Several processes that share a database may each have one; the cache keeps them in step.
 *
 * @throws E_OPTIONS when the cache has namespaces of these names already
 */
export function createShopCaches(cache: Cache): ShopCaches {
  const keep = <Value>(name: Exclude<Kept, 'product'>) => keepAnswers<Value>(cache, name, lifetimes[name])
  return {
    lists: keep('product-list'),
    searches: keep('product-search'),
    totals: keep('product-total'),
    categories: keep('category'),
    analytics: keep('analytics'),
    listings: keep('listing'),
    changes: createShopChanges(cache),
    hotProducts: cache.stats().far ? HOT_SHARED : HOT_ALONE,
    products: (source) => keepProducts(cache, source),
    sourceOf: (database) => database,
  }
}

function keepProducts(cache: Cache, { one, many }: ProductSource): ProductCache {
  const namespace: CacheNamespace<number, Product | undefined> = cache.define('product', {
    ...lifetimes.product,
    async load(id, context) {
      const product = await one(id)
      if (isPrivate(product)) context.skip()
      return product
    },
    async loadMany(ids, context) {
      const products = await many(ids)
      for (const id of ids) if (isPrivate(products.get(id))) context.of(id).skip()
      return products
    },
  })
  return { get: (id) => namespace.get(id), warm: (ids, signal) => namespace.warm(ids, { signal, ...GENTLY }) }
}

/** One small load after the other: whoever asks meanwhile is not to wait for what nobody has asked for. */
const GENTLY = { concurrency: 1, batch: 100 }

/** A draft is its merchant's alone, and what one caller may see stands under no key that all share. */
function isPrivate(product: Product | undefined): boolean {
  return product?.status === 'draft'
}

/** Keeps nothing: every request reads the database, from a replica where there is one. */
export const noCaches: ShopCaches = {
  lists: forgetAnswers(),
  searches: forgetAnswers(),
  totals: undefined,
  categories: forgetAnswers(),
  analytics: forgetAnswers(),
  listings: forgetAnswers(),
  changes: noChanges,
  hotProducts: 0,
  products: ({ one }) => ({ get: one, warm: async () => undefined }),
  sourceOf: (database) => database.reader,
}
