import { optionsError } from '@tailwater/core'

/** The rows of one statement. */
export interface QueryResult<Row> {
  rows: Row[]
  /** Rows returned or changed, as the server counted them. */
  rowCount: number | null
}

/**
 * The least that Tailwater needs of somebody's connection, pool or transaction.
 *
 * Structural, so that a `pg` Pool, Client or PoolClient fits as it is, and other libraries by a few
 * lines. Ours send only strings and null as values, cast twice in SQL (`$2::text::jsonb`), because libraries
 * disagree on everything else; and rely on RETURNING, because not all of them report `rowCount`.
 */
export interface SqlExecutor {
  // biome-ignore lint/suspicious/noExplicitAny: rows are whatever the user's library types them as
  query(text: string, values?: any[]): Promise<{ rows: any[]; rowCount?: number | null }>
}

/**
 * A statement prepared once per connection under its name.
 *
 * Worth it for hot statements: planning and parsing are saved, 1.6 times the point reads. A name must stand for one text in the whole process.
 */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** How one statement is run. */
export interface QueryOptions {
  /** Ends the wait and cancels the statement on the server. */
  signal?: AbortSignal
  /** Milliseconds; the pool's statement timeout by default. */
  timeout?: number
}

/** Something that runs statements: the database, a session, or a transaction. */
export interface Queryable {
  /** @throws E_DATABASE_UNAVAILABLE, E_DATABASE_TIMEOUT, E_QUERY_CANCELLED; a server's own complaint as E_QUERY with `sqlState` in its details */
  query<Row = Record<string, unknown>>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>>
}

/** The server cuts a longer name, and two that differ only beyond would be one. */
const MAX_NAME = 63

/**
 * Names a statement so that it is prepared.
 *
 * @throws E_OPTIONS when the name is empty or longer than 63 bytes
 */
export function statement(name: string, text: string): Statement {
  if (name === '' || Buffer.byteLength(name) > MAX_NAME)
    throw optionsError('statement.name', `1 to ${MAX_NAME} bytes`, name)
  return { name, text }
}
