import { eventChannel } from '../channel.ts'

/** One look-up in a cache. */
export interface CacheAccessEvent {
  requestId: string | undefined
  /** The namespace, never the key. */
  cache: string
  outcome: 'hit' | 'stale' | 'miss'
  /** Who had the value: this process's memory, the shared store, or nobody but the source. */
  tier: 'near' | 'far' | 'source'
}

/** Every look-up. */
export const cacheAccess = eventChannel<CacheAccessEvent>('tailwater:cache:access')

/** One run of a load function. */
export interface CacheLoadEvent {
  requestId: string | undefined
  cache: string
  ms: number
  error: Error | undefined
}

/** Every load, failed ones too. */
export const cacheLoad = eventChannel<CacheLoadEvent>('tailwater:cache:load')

/** An invalidation, as this process carries it out. */
export interface CacheInvalidationEvent {
  /** How many; never which, because a key may name a person. */
  keys: number
  tags: readonly string[]
  patterns: readonly string[]
  /** Whether it began in this process or was heard of. */
  origin: 'own' | 'other'
}

/** Every invalidation. */
export const cacheInvalidation = eventChannel<CacheInvalidationEvent>('tailwater:cache:invalidation')

/** What happens between a cache and its far tier. */
export interface CacheFarEvent {
  backend: string
  /** `error` is one failed call; the others say whether the store is used now, left alone, or being tried. */
  change: 'error' | 'closed' | 'open' | 'half-open'
  /** What was to be done, for `error`. */
  operation: string | undefined
  error: Error | undefined
}

/** Failed calls of the far tier, and its circuit breaker. */
export const cacheFar = eventChannel<CacheFarEvent>('tailwater:cache:far')
