import { marketplaceKey } from '../queues/policies.ts'

/**
 * What every kind of job that talks to a marketplace says: its queue, and the key by which all that goes to one marketplace shares places and rate.
 *
 * @example
 * jobs.define<{ marketplaceId: number; listingId: number }>({ kind: 'listing-push', ...marketplaceWork, run: async ({ payload, signal }) => { … } })
 */
export const marketplaceWork = {
  queue: 'marketplace',
  key: ({ marketplaceId }: { marketplaceId: number }) => marketplaceKey(marketplaceId),
} as const
