import type { SqlExecutor } from '@tailwater/postgres'

/** What is needed of Drizzle's `sql`. */
export interface DrizzleSql<Chunk> {
  raw(text: string): Chunk
  param(value: unknown): unknown
  join(chunks: unknown[]): Chunk
}

/** What is needed of a transaction of Drizzle. */
export interface DrizzleTransaction<Chunk> {
  execute(query: Chunk): PromiseLike<unknown>
}

/**
 * A transaction of Drizzle, over node-postgres or postgres.js.
 *
 * @param sql Drizzle's own, from `drizzle-orm`
 * @example
 * await db.transaction((tx) => receipt.enqueue({ orderId }, { tx: drizzleTransaction(tx, sql) }))
 */
export function drizzleTransaction<Chunk>(tx: DrizzleTransaction<Chunk>, sql: DrizzleSql<Chunk>): SqlExecutor {
  return {
    async query(text, values = []) {
      // Every other part is the number of a value.
      const parts = text.split(/\$(\d+)/)
      const chunks = parts.map((part, at) => (at % 2 === 0 ? sql.raw(part) : sql.param(values[Number(part) - 1])))
      const result = (await tx.execute(sql.join(chunks))) as { rows?: unknown[] } & Iterable<unknown>
      return { rows: result.rows ?? [...result] }
    },
  }
}
