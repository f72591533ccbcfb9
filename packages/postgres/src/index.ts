export type { CopyPort, Database, PoolStats, Session, Transaction, TransactionOptions } from './database.ts'
export type { Migration, MigrationModule } from './migration.ts'
export {
  type Queryable,
  type QueryOptions,
  type QueryResult,
  type SqlExecutor,
  type Statement,
  statement,
} from './queryable.ts'
