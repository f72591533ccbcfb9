/** Codes of the errors this package throws; see docs/errors.md. */
export type JobsErrorCode = 'E_OPTIONS' | 'E_JOB_KIND' | 'E_JOB_PAYLOAD' | 'E_JOB_TRANSACTION'
