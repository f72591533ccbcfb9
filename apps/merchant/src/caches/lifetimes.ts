import type { Lifetime, NearOptions } from '@tailwater/cache'

/** How one kind of thing is kept. */
export interface Keeping extends Lifetime {
  /** Bounds of its own in each process's memory, for what strangers can ask for in endless variety. */
  near?: NearOptions
  far?: false
}

/**
 * What the merchant keeps, and for how long. Why this, and by what it is forgotten: docs/decisions/0018-what-the-merchant-keeps.md.
 *
 * Every write of the merchant's forgets what it changes with its commit, so none of these times is how long a change stays unseen. They bound what nobody tells of: a row
 * changed by hand, a replica restored. Within `grace` an old answer is served while a new one is made; `cache.ttl.product` and so on change a ttl while the processes run.
 */
export const lifetimes = {
  /** Single products by id; drafts are not kept. */
  product: { ttl: '5m', grace: '1h', negativeTtl: '5s', jitter: 0.1 },
  /** Pages of the open product list by category, merchant and order, as they are sent. */
  'product-list': { ttl: '1m', grace: '10m', jitter: 0.1, eagerRefresh: 0.8 },
  /** Pages for a text or a range of prices: endlessly many, few asked for twice, so they stay in this process and within bounds. */
  'product-search': { ttl: '30s', grace: '1m', near: { maxEntries: 1_000, maxBytes: '8mb' }, far: false },
  /** How many products a list has; all its pages share it. */
  'product-total': { ttl: '1m', grace: '10m' },
  /** The tree of categories, and single ones. */
  category: { ttl: '10m', grace: '1h' },
  /** Figures of one merchant, or of all for administrators. */
  analytics: { ttl: '1m', grace: '5m', near: { maxEntries: 500, maxBytes: '4mb' } },
  /** A merchant's pages of listings. */
  listing: { ttl: '1m', near: { maxEntries: 500, maxBytes: '4mb' } },
} as const satisfies Record<string, Keeping>

/** A kind of thing that is kept. */
export type Kept = keyof typeof lifetimes
