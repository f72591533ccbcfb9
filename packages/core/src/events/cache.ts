import { eventChannel } from '../channel.ts'

/** One look-up in a cache. */
export interface CacheAccessEvent {
  requestId: string | undefined
  /** The namespace, never the key. */
  cache: string
  outcome: 'hit' | 'stale' | 'miss'
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
