import type { QueryOptions, QueryResult } from '../queryable.ts'
import type { ConnectionSource } from './connection_source.ts'
import { outlasts, perform, performQuery } from './perform.ts'
import { type ServerResult, StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'

/** Runs a statement that stands alone; one that may take longer than its connection allows has that limit lifted. */
export function queryOn<Row>(
  source: ConnectionSource,
  run: StatementRun,
  options: QueryOptions | undefined,
  site: StatementSite,
): Promise<QueryResult<Row>> {
  const timeout = options?.timeout
  if (!outlasts(timeout, site.statementTimeout)) return performQuery<Row>(source, run, options, site)
  const running: Promise<QueryResult<unknown>> = patientQuery(source, run, { ...options, timeout }, site)
  return running as Promise<QueryResult<Row>>
}

async function patientQuery(
  source: ConnectionSource,
  run: StatementRun,
  options: QueryOptions & { timeout: number },
  site: StatementSite,
): Promise<ServerResult> {
  const connection = await source.acquire(options.signal)
  const own = (text: string) => perform(connection, new StatementRun(text, undefined), undefined, site)
  try {
    await own(`SET statement_timeout = ${Math.ceil(options.timeout)}`)
    try {
      return await perform(connection, run, options, { ...site, statementTimeout: options.timeout })
    } finally {
      // If even that fails, the connection is lost, and its setting with it.
      await own('RESET statement_timeout').catch((error: Error) => connection.lose(error))
    }
  } finally {
    source.release(connection)
  }
}
