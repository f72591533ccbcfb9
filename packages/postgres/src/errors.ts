import { TailwaterError } from '@tailwater/core'

/** The codes of the database; each has its row in docs/errors/postgres.md. */
export type DatabaseErrorCode =
  | 'E_COMMIT_UNKNOWN'
  | 'E_CONNECTION_BUDGET'
  | 'E_DATABASE_CLOSED'
  | 'E_DATABASE_TIMEOUT'
  | 'E_DATABASE_UNAVAILABLE'
  | 'E_NO_SESSION'
  | 'E_QUERY'
  | 'E_QUERY_CANCELLED'
  | 'E_TRANSACTION_ENDED'
  | 'E_TRANSACTION_ROLLED_BACK'

/** The codes of migrations. */
export type MigrationErrorCode =
  | 'E_MIGRATION_CHANGED'
  | 'E_MIGRATION_FAILED'
  | 'E_MIGRATION_LOCKED'
  | 'E_MIGRATION_ORDER'
  | 'E_MIGRATIONS_PENDING'

/** The codes of the outbox, the bus and the settings. */
export type OutboxErrorCode = 'E_BUS_FULL' | 'E_BUS_STOPPED' | 'E_OUTBOX_CONSUMER' | 'E_SETTING_UNKNOWN'

/** Five letters and digits, at least one of them a digit: system errors have codes too, and EPIPE is of five letters. */
const SQLSTATE = /^(?=.*\d)[0-9A-Z]{5}$/

/** The SQLSTATE of a server's complaint, through the errors that wrap it; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof TailwaterError && typeof at.details['sqlState'] === 'string') return at.details['sqlState']
    if ('code' in at && typeof at.code === 'string' && SQLSTATE.test(at.code)) return at.code
  }
  return undefined
}

/** Whether an error, or one beneath it, is a server's complaint of one of these SQLSTATEs: `'23505'` unique, `'40001'` serialisation, … */
export function hasSqlState(error: unknown, ...states: readonly string[]): boolean {
  const state = sqlStateOf(error)
  return state !== undefined && states.includes(state)
}
