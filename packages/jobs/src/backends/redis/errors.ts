import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** Codes of the errors that only this backend throws; each is explained in docs/errors/jobs.md. */
export type RedisBackendErrorCode = 'E_JOBS_EVICTION' | 'E_JOBS_MEMORY' | 'E_JOBS_REPLICAS' | 'E_JOBS_TAGS'

/** An error of this backend. */
export function backendError(code: RedisBackendErrorCode, message: string, details: ErrorDetails): TailwaterError {
  return new TailwaterError(code, message, details)
}
