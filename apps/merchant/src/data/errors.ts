import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** Codes of what can be wrong with a file to import; each is explained in docs/errors/merchant-data.md. */
export type ImportErrorCode =
  | 'E_IMPORT_CSV'
  | 'E_IMPORT_EMPTY'
  | 'E_IMPORT_ENCODING'
  | 'E_IMPORT_FILE'
  | 'E_IMPORT_GZIP'
  | 'E_IMPORT_HEADER'
  | 'E_IMPORT_VALUE'

/** An error in a file to import; `details.line` counts from 1, the header included. */
export function importError(code: ImportErrorCode, message: string, details: ErrorDetails = {}): TailwaterError {
  return new TailwaterError(code, message, details)
}
