import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createEmbeddedPostgres } from '@tailwater/postgres/embedded'
import pg from 'pg'
import { dataFolder } from '../harness/project.ts'
import { createNaiveTables } from './naive_tables.ts'
import { startOurs } from './our_server.ts'

/** Which generated data. */
export type Size = 'small' | 'large'

/** A PostgreSQL that holds the shop twice: ours with its indexes, the naive one with keys alone. */
export interface BenchDatabase {
  /** Over its Unix socket, as `npm start` reaches it. */
  url: string
  pid: number
  version: string
  /** Where our server keeps what it keeps on disk. */
  dataDir: string
  stop(): Promise<void>
}

/** Milliseconds for generating and loading the large data and its indexes on a slow machine. */
const LOAD_PATIENCE = 1_200_000

/**
 * Starts the database of the merchant's benchmark, filled at its first start and kept for the next.
 *
 * @param say told what takes long
 */
export async function openBenchDatabase(size: Size, say: (line: string) => void): Promise<BenchDatabase> {
  const folder = join(dataFolder, size)
  mkdirSync(folder, { recursive: true })
  const embedded = createEmbeddedPostgres({ dataDir: join(folder, 'postgres') })
  await embedded.start()
  const { localUrl: url, pid, version } = embedded.server
  const database = { url, pid, version, dataDir: join(folder, 'merchant'), stop: () => embedded.stop() }
  try {
    await fill(database, size, say)
  } catch (error) {
    await embedded.stop()
    throw error
  }
  return database
}

async function fill(database: BenchDatabase, size: Size, say: (line: string) => void): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    await forgetPlatform(client)
    if (!(await isFilled(client))) {
      say(`Loading the ${size} data (once) …`)
      // Our server fills an empty database itself when it starts.
      const server = await startOurs(database, { args: ['--size', size], patience: LOAD_PATIENCE })
      await server.stop()
      await forgetPlatform(client)
    }
    // Always, so that they have the columns that ours have now.
    say('Copying the catalogue into the naive tables …')
    await createNaiveTables(client)
  } finally {
    await client.end()
  }
}

/** Jobs, accounts and the like, which no figure depends on: made anew by whichever version is measured, the first administrator included. */
async function forgetPlatform(client: pg.Client): Promise<void> {
  await client.query('DROP SCHEMA IF EXISTS tailwater CASCADE')
}

async function isFilled(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ filled: boolean }>(`SELECT to_regclass('naive.products') IS NOT NULL AS filled`)
  return rows[0]!.filled
}
