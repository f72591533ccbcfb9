import { type Clock, type Duration, duration, resolveOptions, systemClock, text, value } from '@tailwater/core'
import { type Database, DEFAULT_SCHEMA } from '@tailwater/postgres'
import type { FarBackend } from '../far_backend.ts'
import { createPostgresBrowser } from './postgres_browser.ts'
import { createPostgresEntries } from './postgres_entries.ts'
import { createPostgresLeases } from './postgres_leases.ts'
import { createPostgresTags } from './postgres_tags.ts'
import { cacheStatements } from './statements.ts'
import { createTrim } from './trim.ts'

/** Where a far tier in PostgreSQL lies. */
export interface PostgresBackendOptions {
  /** Started and stopped by whoever made it. */
  database: Database
  /** Has the tables of `cacheMigrations`; two caches take two schemas. @default 'tailwater' */
  schema?: string
  /** How often what has expired is taken away. @default '1m' */
  trimInterval?: Duration
  /** @default systemClock */
  clock?: Clock
}

/**
 * A far tier in PostgreSQL, for those who have no Redis: slower by several times, and no further server.
 *
 * Its tables are not logged. After a crash, and on a promoted replica, they are empty; a load that began before does not land then.
 *
 * @throws E_OPTIONS
 * @example
 * const far = createPostgresBackend({ database })
 * await far.start()
 */
export function createPostgresBackend(options: PostgresBackendOptions): FarBackend {
  const isClock = (given: unknown) => typeof (given as Clock)?.after === 'function'
  const { database, schema, trimInterval, clock } = resolveOptions('createPostgresBackend', options, {
    database: value<Database>('a Database', (given) => typeof (given as Database)?.transaction === 'function'),
    schema: text({ default: DEFAULT_SCHEMA }),
    trimInterval: duration({ min: 1, default: '1m' }),
    clock: value<Clock>('a Clock', isClock, { default: systemClock }),
  })
  const sql = cacheStatements(schema)
  const entries = createPostgresEntries(database, sql)
  return {
    ...createTrim(database, { sql, interval: trimInterval, clock }),
    name: 'postgres',
    entries,
    tags: createPostgresTags(database, sql),
    leases: createPostgresLeases(database, sql, entries),
    browser: createPostgresBrowser(database, sql),
    async time() {
      const { rows } = await database.query<{ time: number }>(sql.time)
      return rows[0]!.time
    },
    async ping() {
      await database.query('SELECT 1')
    },
  }
}
