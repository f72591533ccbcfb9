import { type Clock, systemClock } from '@tailwater/core'
import type { Database } from '../database.ts'
import { type DatabaseOptions, resolveDatabaseOptions } from './options.ts'
import { PostgresDatabase } from './postgres_database.ts'

/**
 * PostgreSQL for one process: a warm pool, transactions, replicas, COPY, within one connection budget.
 *
 * @throws E_OPTIONS
 * @example
 * const database = createDatabase({ url: 'postgres://app:secret@localhost:5432/shop' })
 * await database.start()
 * const { rows } = await database.query<{ id: number }>('SELECT id FROM product WHERE sku = $1', ['A-1'])
 * await database.stop()
 */
export function createDatabase(options: DatabaseOptions, { clock = systemClock }: { clock?: Clock } = {}): Database {
  return new PostgresDatabase(resolveDatabaseOptions(options), clock)
}
