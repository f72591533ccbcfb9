import type { Clock } from '@tailwater/core'
import type { QueryOptions, QueryResult } from '../queryable.ts'
import { databaseError, statementError } from './failure.ts'
import type { RunTaker, ServerResult, StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'

/**
 * Hands a statement over and waits for its outcome, its error made ours.
 *
 * The error is made here, after an await, so that its stack leads to the caller and not to a socket.
 */
export async function perform(
  on: RunTaker,
  run: StatementRun,
  options: QueryOptions | undefined,
  site: StatementSite,
): Promise<ServerResult> {
  run.timeout = site.statementTimeout || site.watch
  run.limit = site.watch
  let endLimits: (() => void) | undefined
  try {
    if (options !== undefined) {
      run.alone = true
      endLimits = limit(run, options, site.clock)
    }
    if (!run.abandoned) on.run(run)
    return await run.result
  } catch (error) {
    throw statementError(error, run, site)
  } finally {
    endLimits?.()
  }
}

/** The same, for a caller that knows what the rows are. */
export function performQuery<Row>(
  on: RunTaker,
  run: StatementRun,
  options: QueryOptions | undefined,
  site: StatementSite,
): Promise<QueryResult<Row>> {
  return perform(on, run, options, site) as Promise<QueryResult<unknown>> as Promise<QueryResult<Row>>
}

/** Whether a statement that may take `timeout` would be cancelled by the server before. */
export function outlasts(timeout: number | undefined, serverTimeout: number): timeout is number {
  return timeout !== undefined && serverTimeout > 0 && (timeout === 0 || timeout > serverTimeout)
}

function limit(run: StatementRun, { signal, timeout }: QueryOptions, clock: Clock): () => void {
  if (timeout !== undefined) run.limit = 0
  const cancelTimer = timeout ? clock.after(timeout, () => run.abandon(tookTooLong(timeout))) : undefined
  const onAbort = signal && (() => run.abandon(cancelled(signal)))
  if (signal?.aborted) onAbort!()
  else signal?.addEventListener('abort', onAbort!, { once: true })
  return () => {
    cancelTimer?.()
    signal?.removeEventListener('abort', onAbort!)
  }
}

/** The error of what a caller's signal ended. */
export function cancelled(signal: AbortSignal): Error {
  return databaseError('E_QUERY_CANCELLED', 'the statement was cancelled by its caller', { cause: signal.reason })
}

/** The error of a statement that ran over its limit. */
export function tookTooLong(timeout: number): Error {
  return databaseError('E_DATABASE_TIMEOUT', `the statement took longer than ${timeout} ms`, { timeout })
}
