import { TailwaterError, toError } from '@tailwater/core'
import { type DatabaseErrorCode, sqlStateOf } from '../errors.ts'
import type { StatementSite } from './statement_site.ts'

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

/** Whether a prepared statement is not what it was when it was prepared: refused before it did anything. */
export function isStalePlan(error: Error): boolean {
  if (!isServerComplaint(error)) return false
  return (
    error.code === '26000' ||
    error.code === '42P05' ||
    (error.code === '0A000' && error.routine === 'RevalidateCachedQuery')
  )
}

/** Whether the server ends the connection with this complaint, or says that it has no place for it. */
export function endsConnection(error: unknown): boolean {
  if (!(error instanceof Error) || !isServerComplaint(error)) return false
  if (error.severity === 'FATAL' || error.severity === 'PANIC') return true
  return error.code.startsWith('08') || error.code.startsWith('57P') || error.code === '53300' || error.code === '25P03'
}

/** An error of this package, by a code of its list. */
export function databaseError(
  code: DatabaseErrorCode,
  message: string,
  details: Record<string, unknown> = {},
): TailwaterError {
  return new TailwaterError(code, message, details)
}

/** What is said of a failed statement. */
interface FailedRun {
  label: string | undefined
  /** Whether the server may have seen it. */
  sent: boolean
  /** Milliseconds. */
  elapsed: number
}

/** The error that a caller sees for what went wrong with a statement. */
export function statementError(thrown: unknown, run: FailedRun, site: StatementSite): TailwaterError {
  if (thrown instanceof TailwaterError) return withFreshStack(thrown)
  const error = toError(thrown)
  if (isServerComplaint(error) && !endsConnection(error)) return complaintError(error, run, site.statementTimeout)
  const when = run.sent ? 'while a statement ran' : 'before a statement was sent'
  const message = `the connection to PostgreSQL at ${site.where} was lost ${when}: ${error.message}`
  return databaseError('E_DATABASE_UNAVAILABLE', message, {
    cause: withoutValues(error),
    sent: run.sent,
    sqlState: sqlStateOf(error),
  })
}

/** One outage fails many callers with one error, whose stack would be that of a timer: each gets its own. */
export function withFreshStack(error: TailwaterError): TailwaterError {
  return new TailwaterError(error.code, error.message, { ...error.details, cause: error.cause })
}

function complaintError(error: ServerComplaint, run: FailedRun, statementTimeout: number): TailwaterError {
  if (error.code === QUERY_CANCELLED) return cancelledError(run, statementTimeout)
  return databaseError('E_QUERY', error.message + hintFor(error), {
    cause: withoutValues(error),
    sqlState: error.code,
    constraint: error.constraint,
    table: error.table,
    schema: error.schema,
    column: error.column,
    position: error.position === undefined ? undefined : Number(error.position),
    statement: run.label,
  })
}

/** The two reasons differ only in a message that the server may translate, so the time decides. */
function cancelledError(run: FailedRun, statementTimeout: number): TailwaterError {
  const details = { statement: run.label, sqlState: QUERY_CANCELLED }
  const timedOut = statementTimeout > 0 && run.elapsed >= statementTimeout * 0.95
  if (!timedOut) return databaseError('E_QUERY_CANCELLED', 'the statement was cancelled on the server', details)
  return databaseError('E_DATABASE_TIMEOUT', `the statement took longer than ${statementTimeout} ms`, details)
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
