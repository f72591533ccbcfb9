import { type ErrorDetails, TailwaterError } from '@tailwater/core'

/** The codes of the embedded server's errors; docs/errors/postgres-embedded.md says what to do about each. */
export type EmbeddedErrorCode =
  | 'E_EMBEDDED_BINARY'
  | 'E_EMBEDDED_DISK_FULL'
  | 'E_EMBEDDED_FOLDER_FOREIGN'
  | 'E_EMBEDDED_FOLDER_OWNER'
  | 'E_EMBEDDED_FOLDER_READONLY'
  | 'E_EMBEDDED_FOLDER_UNREACHABLE'
  | 'E_EMBEDDED_IN_PRODUCTION'
  | 'E_EMBEDDED_INIT_FAILED'
  | 'E_EMBEDDED_LINKS'
  | 'E_EMBEDDED_NOT_STARTED'
  | 'E_EMBEDDED_PACKAGE_MISSING'
  | 'E_EMBEDDED_PASSWORD'
  | 'E_EMBEDDED_PORT_TAKEN'
  | 'E_EMBEDDED_START_FAILED'
  | 'E_EMBEDDED_STOP_FAILED'
  | 'E_EMBEDDED_VERSION'

/** An error of the embedded server: one line that says what is wrong and names the way out. */
export function embeddedError(
  code: EmbeddedErrorCode,
  message: string,
  details?: ErrorDetails,
): TailwaterError<EmbeddedErrorCode> {
  return new TailwaterError(code, message, details)
}

/** The errno of a failed system call, when it is one. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
