import { currentContext, databaseQuery, systemClock, TailwaterError, toError } from '@tailwater/core'
import { statementError } from './database/failure.ts'
import { cancelled, tookTooLong } from './database/perform.ts'
import { publishQuery } from './database/query_event.ts'
import type { Queryable, QueryOptions, QueryResult, SqlExecutor } from './queryable.ts'

/**
 * A user's own pool, client or transaction as a `Queryable`.
 *
 * Its errors become ours and its statements are published, but names are not prepared, and a limit ends only the wait: another
 * library's statement cannot be cancelled on the server from here.
 *
 * @example
 * await client.query('BEGIN')
 * await enqueue(asQueryable(client), { kind: 'send-receipt' })
 * await client.query('COMMIT')
 */
export function asQueryable(executor: SqlExecutor): Queryable {
  return {
    async query<Row>(
      statement: Parameters<Queryable['query']>[0],
      values?: readonly unknown[],
      options?: QueryOptions,
    ): Promise<QueryResult<Row>> {
      const { text, name } = typeof statement === 'string' ? { text: statement, name: undefined } : statement
      const run = { text, label: name, requestId: currentContext()?.requestId, sent: true, elapsed: 0 }
      const startedAt = systemClock.elapsed()
      const publish = (rows: number, error?: Error) => {
        run.elapsed = systemClock.elapsed() - startedAt
        if (databaseQuery.hasSubscribers) publishQuery(run, 'primary', error, rows)
      }
      try {
        const running = values === undefined ? executor.query(text) : executor.query(text, [...values])
        const { rows, rowCount } = await (options ? limited(running, options) : running)
        publish(rowCount ?? rows.length)
        return { rows, rowCount: rowCount ?? null }
      } catch (error) {
        publish(0, toError(error))
        throw error instanceof TailwaterError ? error : statementError(error, run, SITE)
      }
    },
  }
}

/** Nothing is known of where another library's connection leads. */
const SITE = { where: 'an address of your own', statementTimeout: 0, watch: 0, clock: systemClock }

function limited<T>(running: Promise<T>, { signal, timeout }: QueryOptions): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(cancelled(signal!))
    const cancelTimer = timeout ? systemClock.after(timeout, () => reject(tookTooLong(timeout))) : undefined
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    running.then(resolve, reject).finally(() => {
      cancelTimer?.()
      signal?.removeEventListener('abort', onAbort)
    })
  })
}
