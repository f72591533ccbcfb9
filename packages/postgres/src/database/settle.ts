import type { Clock } from '@tailwater/core'
import type { QueryOptions, QueryResult } from '../queryable.ts'
import { databaseError, statementError } from './failure.ts'
import type { StatementRun } from './statement_run.ts'

/** What is said of, and holds for, the statements of one server. */
export interface StatementSite {
  /** `host:port`, for messages. */
  where: string
  /** Milliseconds after which the server itself cancels; 0 for never. */
  statementTimeout: number
  clock: Clock
}

/**
 * The outcome of a statement that has been handed over, its error made ours.
 *
 * The error is made here, after an await, so that its stack leads to the caller and not to a socket.
 */
export async function settle<Row>(
  run: StatementRun,
  options: QueryOptions | undefined,
  site: StatementSite,
): Promise<QueryResult<Row>> {
  const endLimits = options === undefined ? undefined : limit(run, options, site.clock)
  try {
    return (await run.result) as QueryResult<Row>
  } catch (error) {
    throw statementError(error, run, site.where, site.statementTimeout)
  } finally {
    endLimits?.()
  }
}

function limit(run: StatementRun, { signal, timeout }: QueryOptions, clock: Clock): (() => void) | undefined {
  if (signal?.aborted) run.abandon(cancelled(signal))
  const onAbort = signal && (() => run.abandon(cancelled(signal)))
  if (onAbort) signal.addEventListener('abort', onAbort, { once: true })
  const cancelTimer =
    timeout !== undefined && timeout > 0 ? clock.after(timeout, () => run.abandon(tookTooLong(timeout))) : undefined
  return () => {
    if (onAbort) signal.removeEventListener('abort', onAbort)
    cancelTimer?.()
  }
}

/** The error of what a caller's signal ended. */
export function cancelled(signal: AbortSignal): Error {
  return databaseError('E_QUERY_CANCELLED', 'the statement was cancelled by its caller', { cause: signal.reason })
}

function tookTooLong(timeout: number): Error {
  return databaseError('E_DATABASE_TIMEOUT', `the statement took longer than ${timeout} ms`, { timeout })
}
