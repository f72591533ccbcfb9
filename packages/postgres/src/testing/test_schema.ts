import { randomBytes } from 'node:crypto'
import { systemClock } from '@tailwater/core'
import pg from 'pg'
import { createDatabase } from '../database/create_database.ts'
import type { DatabaseOptions } from '../database/options.ts'
import type { Database } from '../database.ts'
import type { MigrationModule } from '../migration.ts'
import { createMigrator } from '../migrator.ts'
import { testServerUrl } from './test_server.ts'

/** Milliseconds for statements that still run when a test is over. */
const STOP_PATIENCE = 3_000

/** A schema of a test's own. */
export interface TestSchema {
  /** Of the server, with the password. */
  url: string
  /** A name that needs no quotes. */
  schema: string
  /** Started; its statements name the schema themselves. */
  database: Database
  /** Drops the schema and closes the connections; until then they keep the test's process alive, so call it in `after`. */
  close(): Promise<void>
}

/**
 * Makes an empty schema with a unique name, applies migrations to it, and opens a database on its server.
 *
 * @param modules applied in their order
 * @param pool further options of the database; by default it keeps one connection and opens ten at most
 * @example
 * const { database, schema, close } = await createTestSchema({ modules: [merchantMigrations] })
 * after(close)
 */
export async function createTestSchema({
  modules = [],
  pool = {},
}: {
  modules?: readonly MigrationModule[]
  pool?: Omit<DatabaseOptions, 'url' | 'pool'>
} = {}): Promise<TestSchema> {
  const url = await testServerUrl()
  const schema = `test_${process.pid}_${randomBytes(6).toString('hex')}`
  await runAlone(url, `CREATE SCHEMA ${schema}`)
  const database = createDatabase({ url, min: 1, max: 10, ...pool })
  const close = async () => {
    // A session that a failed test never released must not keep the test from ending.
    await database.stop(systemClock.elapsed() + STOP_PATIENCE)
    await runAlone(url, `DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  }
  try {
    await database.start()
    if (modules.length > 0) await createMigrator({ database, schema, modules }).run()
  } catch (error) {
    await close()
    throw error
  }
  return { url, schema, database, close }
}

async function runAlone(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
