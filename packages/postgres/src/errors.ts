import { TailwaterError } from '@tailwater/core'

/** The codes of migrations. */
export type MigrationErrorCode =
  | 'E_MIGRATION_CHANGED'
  | 'E_MIGRATION_FAILED'
  | 'E_MIGRATION_LOCKED'
  | 'E_MIGRATION_ORDER'
  | 'E_MIGRATIONS_PENDING'

/** The SQLSTATE of a server's complaint, through the errors that wrap it; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof TailwaterError && typeof at.details['sqlState'] === 'string') return at.details['sqlState']
    if ('code' in at && typeof at.code === 'string' && /^[0-9A-Z]{5}$/.test(at.code)) return at.code
  }
  return undefined
}
