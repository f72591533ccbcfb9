import type { QueryOptions } from '../queryable.ts'
import type { ConnectionSource } from './connection_source.ts'
import { perform } from './perform.ts'
import { type ServerResult, StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'

/** Runs a statement that may take longer than the connection's own limit, which is lifted for it. */
export async function patientQuery(
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
