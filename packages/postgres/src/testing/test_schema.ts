import { randomBytes } from 'node:crypto'
import pg from 'pg'
import type { Database } from '../database.ts'
import type { MigrationModule } from '../migration.ts'
import { createMigrator } from '../migrator.ts'
import { createPlainDatabase } from './plain_database.ts'
import { testServerUrl } from './test_server.ts'

/** A schema of a test's own. */
export interface TestSchema {
  /** Of the server, with the password. */
  url: string
  /** A name that needs no quotes. */
  schema: string
  /** Started; its statements name the schema themselves. */
  database: Database
  /** Drops the schema and closes the connections. */
  close(): Promise<void>
}

/**
 * Makes an empty schema with a unique name, applies migrations to it, and opens a database on its server.
 *
 * @param modules applied in their order
 * @param pool connections kept and allowed
 * @example
 * const { database, schema, close } = await createTestSchema({ modules: [merchantMigrations] })
 * after(close)
 */
export async function createTestSchema({
  modules = [],
  pool = {},
}: {
  modules?: readonly MigrationModule[]
  pool?: { min?: number; max?: number }
} = {}): Promise<TestSchema> {
  const url = await testServerUrl()
  const schema = `test_${process.pid}_${randomBytes(6).toString('hex')}`
  await runAlone(url, `CREATE SCHEMA ${schema}`)
  const database = createPlainDatabase(url, pool)
  const close = async () => {
    await database.stop()
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
