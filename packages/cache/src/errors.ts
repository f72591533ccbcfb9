import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** Codes of the errors that this package throws; each is explained in docs/errors/cache.md. */
export type CacheErrorCode = 'E_CACHE_VALUE' | 'E_PACKAGE_MISSING'

/** An error of this package. */
export function cacheError(
  code: CacheErrorCode,
  message: string,
  details?: ErrorDetails,
): TailwaterError<CacheErrorCode> {
  return new TailwaterError(code, message, details)
}
