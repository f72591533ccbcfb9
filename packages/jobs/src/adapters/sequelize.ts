import type { SqlExecutor } from '@tailwater/postgres'

/** What is needed of Sequelize. */
export interface SequelizeLike<Transaction> {
  query(
    text: string,
    options: { bind: unknown[]; transaction: Transaction; raw: true; type: 'SELECT' },
  ): Promise<unknown>
}

/**
 * A transaction of Sequelize.
 *
 * @example
 * await sequelize.transaction((transaction) => receipt.enqueue({ orderId }, { tx: sequelizeTransaction(sequelize, transaction) }))
 */
export function sequelizeTransaction<Transaction>(
  sequelize: SequelizeLike<Transaction>,
  transaction: Transaction,
): SqlExecutor {
  return {
    async query(text, values = []) {
      return {
        rows: (await sequelize.query(text, { bind: values, transaction, raw: true, type: 'SELECT' })) as unknown[],
      }
    },
  }
}
