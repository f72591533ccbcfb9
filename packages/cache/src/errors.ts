import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** Codes of the errors that the cache's engine throws; each is explained in docs/errors/cache.md. */
export type CacheErrorCode =
  | 'E_CACHE_KEY'
  | 'E_CACHE_LOAD_CYCLE'
  | 'E_CACHE_LOAD_RESULT'
  | 'E_CACHE_LOAD_TIMEOUT'
  | 'E_CACHE_QUEUE_FULL'
  | 'E_CACHE_SCHEMA'
  | 'E_CACHE_STOPPED'
  | 'E_CACHE_TAG'
  | 'E_CACHE_TRANSACTION'
  | 'E_CACHE_UNTOLD'
  | 'E_CACHE_VALUE'
  | 'E_PACKAGE_MISSING'

/** An error of the engine. */
export function cacheError(
  code: CacheErrorCode,
  message: string,
  details?: ErrorDetails,
): TailwaterError<CacheErrorCode> {
  return new TailwaterError(code, message, details)
}
