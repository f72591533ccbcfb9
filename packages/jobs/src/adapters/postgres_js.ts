import type { SqlExecutor } from '@tailwater/postgres'

/** What is needed of postgres.js: its `sql`, or that of `sql.begin`. */
export interface PostgresJs {
  unsafe(text: string, values: string[]): PromiseLike<readonly unknown[] & { count: number }>
}

/**
 * A transaction of postgres.js.
 *
 * @example
 * await sql.begin((tx) => receipt.enqueue({ orderId }, { tx: postgresJsTransaction(tx) }))
 */
export function postgresJsTransaction(sql: PostgresJs): SqlExecutor {
  return {
    async query(text, values = []) {
      const rows = await sql.unsafe(text, values)
      return { rows: [...rows], rowCount: rows.count }
    },
  }
}
