import { cacheAccess, currentContext } from '@tailwater/core'
import type { ResponseStore } from './response_store.ts'

/** What a cache of responses has done since it was made. */
export interface ResponseCacheStats {
  /** Requests answered with a fresh response. */
  hits: number
  /** Requests answered with a stale one, as the response or the request allowed. */
  stale: number
  /** Requests that the origin was asked for with an answer that may be kept, or that waited for another's. */
  misses: number
  /** Requests that the cache has nothing to do with: writes, unknown cookies, answers that may not be kept. */
  passed: number
  /** Responses kept. */
  stored: number
  /** Responses not kept because they were invalidated while they were made, or because the store was away or had no room. */
  refused: number
  /** Responses in this process's memory, by address; 0 with a store that processes share. */
  entries: number
  /** Their size, roughly. */
  bytes: number
}

/** The counters; what the store holds is asked for when somebody wants to know. */
export type CacheCounts = Omit<ResponseCacheStats, 'entries' | 'bytes'>

/** How a request was answered, as far as it is counted. */
export type Access = 'hit' | 'stale' | 'miss' | 'passed'

const COUNTER = { hit: 'hits', stale: 'stale', miss: 'misses', passed: 'passed' } as const

/** The namespace under which look-ups are told of. */
const NAME = 'http'

/** All at nothing. */
export function noCounts(): CacheCounts {
  return { hits: 0, stale: 0, misses: 0, passed: 0, stored: 0, refused: 0 }
}

/** Counts how a request was answered and tells of look-ups, as the cache of values tells of its own. */
export function countAccess(counts: CacheCounts, { isShared }: ResponseStore, outcome: Access): void {
  counts[COUNTER[outcome]]++
  if (outcome === 'passed' || !cacheAccess.hasSubscribers) return
  const held = isShared ? 'far' : 'near'
  const tier = outcome === 'miss' ? 'source' : held
  cacheAccess.publish({ requestId: currentContext()?.requestId, cache: NAME, outcome, tier })
}
