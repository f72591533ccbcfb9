import { newId } from '@tailwater/core'
import type { SqlExecutor } from '@tailwater/postgres'

/** What is needed of Kysely: a `Transaction`. */
export interface KyselyTransaction {
  executeQuery(query: unknown): Promise<{ rows: unknown[]; numAffectedRows?: bigint }>
}

/**
 * A transaction of Kysely, on its PostgreSQL dialect.
 *
 * @example
 * await db.transaction().execute((trx) => receipt.enqueue({ orderId }, { tx: kyselyTransaction(trx) }))
 */
export function kyselyTransaction(trx: KyselyTransaction): SqlExecutor {
  return {
    async query(text, values = []) {
      // What `CompiledQuery.raw` makes, without a dependency on Kysely.
      const query = { kind: 'RawNode', sqlFragments: [text], parameters: [] }
      const { rows } = await trx.executeQuery({ sql: text, parameters: values, query, queryId: { queryId: newId() } })
      return { rows }
    },
  }
}
