import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** Codes of the errors this package throws; see docs/errors/jobs.md. */
export type JobsErrorCode =
  | 'E_OPTIONS'
  | 'E_PACKAGE_MISSING'
  | 'E_JOB_CANCELLED'
  | 'E_JOB_CHILD'
  | 'E_JOB_DECRYPT'
  | 'E_JOB_FLOW'
  | 'E_JOB_KIND'
  | 'E_JOB_KIND_UNKNOWN'
  | 'E_JOB_LEASE_LOST'
  | 'E_JOB_NOT_FOUND'
  | 'E_JOB_OUTBOX'
  | 'E_JOB_PAYLOAD'
  | 'E_JOB_PAYLOAD_SIZE'
  | 'E_JOB_PERMANENT'
  | 'E_JOB_POISON'
  | 'E_JOB_QUEUE_UNKNOWN'
  | 'E_JOB_SCHEDULE'
  | 'E_JOB_STOPPING'
  | 'E_JOB_TIMEOUT'
  | 'E_JOB_TRANSACTION'
  | 'E_JOB_UNIQUE'

/** An error of this package. */
export function jobsError(code: JobsErrorCode, message: string, details?: ErrorDetails): TailwaterError<JobsErrorCode> {
  return new TailwaterError(code, message, details)
}

/**
 * What a handler throws when another attempt cannot help: the job is dead at once. Any error with `retryable: false` is taken so.
 *
 * @example
 * if (reply.status === 410) throw new PermanentError('the address is gone')
 */
export class PermanentError extends TailwaterError<'E_JOB_PERMANENT'> {
  readonly retryable = false

  constructor(message: string, details?: ErrorDetails) {
    super('E_JOB_PERMANENT', message, details)
  }
}
