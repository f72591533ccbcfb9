import type { SqlExecutor } from '@tailwater/postgres'

/** What is needed of TypeORM: the `EntityManager` of a transaction, or a `QueryRunner`. */
export interface TypeOrmManager {
  query(text: string, values?: unknown[]): Promise<unknown>
}

/**
 * A transaction of TypeORM.
 *
 * @example
 * await dataSource.transaction((manager) => receipt.enqueue({ orderId }, { tx: typeOrmTransaction(manager) }))
 */
export function typeOrmTransaction(manager: TypeOrmManager): SqlExecutor {
  return {
    async query(text, values = []) {
      return { rows: (await manager.query(text, values)) as unknown[] }
    },
  }
}
