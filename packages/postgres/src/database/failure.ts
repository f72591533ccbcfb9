import { TailwaterError, toError } from '@tailwater/core'
import { type DatabaseErrorCode, sqlStateOf } from '../errors.ts'
import type { StatementRun } from './statement_run.ts'

/** What the driver's error carries of the server's complaint. */
interface ServerComplaint extends Error {
  code: string
  severity?: string
  constraint?: string
  table?: string
  schema?: string
  column?: string
  position?: string
  routine?: string
}

const QUERY_CANCELLED = '57014'

function isServerComplaint(error: Error): error is ServerComplaint {
  return 'severity' in error && sqlStateOf(error) !== undefined
}

/** Whether the server ends the connection with this complaint, or says that it has no place for it. */
export function endsConnection(error: unknown): boolean {
  if (!(error instanceof Error) || !isServerComplaint(error)) return false
  if (error.severity === 'FATAL' || error.severity === 'PANIC') return true
  return error.code.startsWith('08') || error.code.startsWith('57P') || error.code === '53300' || error.code === '25P03'
}

export function databaseError(
  code: DatabaseErrorCode,
  message: string,
  details: Record<string, unknown> = {},
): TailwaterError {
  return new TailwaterError(code, message, details)
}

/**
 * The error that a caller sees for what went wrong with a statement.
 *
 * @param where host and port, for people
 * @param statementTimeout milliseconds after which the server itself cancels; 0 for never
 */
export function statementError(
  thrown: unknown,
  run: StatementRun,
  where: string,
  statementTimeout: number,
): TailwaterError {
  if (thrown instanceof TailwaterError) return thrown
  const error = toError(thrown)
  if (isServerComplaint(error) && !endsConnection(error)) return complaintError(error, run, statementTimeout)
  return databaseError(
    'E_DATABASE_UNAVAILABLE',
    `the connection to PostgreSQL at ${where} was lost while a statement ran: ${error.message}`,
    {
      cause: withoutValues(error),
      sent: run.sent,
      sqlState: sqlStateOf(error),
    },
  )
}

function complaintError(error: ServerComplaint, run: StatementRun, statementTimeout: number): TailwaterError {
  const statement = run.name
  if (error.code === QUERY_CANCELLED) {
    // The two reasons differ only in a message that the server may translate, so the time decides.
    const timedOut = statementTimeout > 0 && run.elapsed >= statementTimeout * 0.95
    return timedOut
      ? databaseError('E_DATABASE_TIMEOUT', `the statement took longer than ${statementTimeout} ms`, {
          statement,
          sqlState: error.code,
        })
      : databaseError('E_QUERY_CANCELLED', 'the statement was cancelled on the server', {
          statement,
          sqlState: error.code,
        })
  }
  return databaseError('E_QUERY', error.message + hintFor(error), {
    cause: withoutValues(error),
    sqlState: error.code,
    constraint: error.constraint,
    table: error.table,
    schema: error.schema,
    column: error.column,
    position: error.position === undefined ? undefined : Number(error.position),
    statement,
  })
}

function hintFor(error: ServerComplaint): string {
  if (error.code !== '26000' && error.code !== '42P05') return ''
  return " (is a transaction pooler between? then set pooler: 'transaction')"
}

/** The server quotes values in `detail` and `where`: still there for a debugger, but not for a log line. */
function withoutValues(error: Error): Error {
  for (const field of ['detail', 'where', 'internalQuery']) {
    if (Object.hasOwn(error, field)) Object.defineProperty(error, field, { enumerable: false })
  }
  return error
}
