import type { SqlExecutor } from '@tailwater/postgres'

/** What is needed of Knex: a `Knex.Transaction`. */
export interface KnexTransaction {
  raw(text: string, bindings: unknown): PromiseLike<{ rows: unknown[] }>
}

/**
 * A transaction of Knex, on its `pg` dialect.
 *
 * @example
 * await knex.transaction((trx) => receipt.enqueue({ orderId }, { tx: knexTransaction(trx) }))
 */
export function knexTransaction(trx: KnexTransaction): SqlExecutor {
  return {
    async query(text, values = []) {
      const bindings: unknown[] = []
      // Knex numbers question marks itself, and takes one for a binding unless it is escaped.
      const numbered = text.replaceAll('?', '\\?').replace(/\$(\d+)/g, (_, number) => {
        bindings.push(values[Number(number) - 1])
        return '?'
      })
      const { rows } = await trx.raw(numbered, bindings)
      return { rows }
    },
  }
}
