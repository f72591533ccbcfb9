/** Codes of the errors this package throws; see docs/errors.md. */
export type CacheErrorCode = 'E_OPTIONS'
