import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** Codes of the errors that this package throws; each is explained in docs/errors/redis.md. */
export type RedisErrorCode =
  | 'E_PACKAGE_MISSING'
  | 'E_REDIS_AUTH'
  | 'E_REDIS_CLOSED'
  | 'E_REDIS_COMMAND'
  | 'E_REDIS_CONNECTION_BUDGET'
  | 'E_REDIS_TIMEOUT'
  | 'E_REDIS_UNAVAILABLE'

/** An error of this package. */
export function redisError(
  code: RedisErrorCode,
  message: string,
  details?: ErrorDetails,
): TailwaterError<RedisErrorCode> {
  return new TailwaterError(code, message, details)
}
