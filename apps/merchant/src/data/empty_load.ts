import { type Database, quoteSchema, type Transaction } from '@tailwater/postgres'
import { copyText } from './copy_text.ts'
import { dropForeignKeys, restoreForeignKeys } from './foreign_keys.ts'
import { type Progress, silentProgress } from './progress.ts'
import type { TableRows } from './table_rows.ts'

/*
 * Filling an empty database: everything in one transaction, so that a process killed half-way leaves it empty
 * and the next start begins anew.
 *
 * Foreign keys are taken off first and put back after: checking a million lines at once by a join takes half a second,
 * one by one as they come 20 seconds. In tables truncated by the same transaction COPY may write rows as
 * frozen, so that index-only scans work at once, without a VACUUM. Both need the owner of the tables, as migrations do.
 */

/** What is loaded, and where. */
export interface EmptyLoadOptions {
  database: Database
  /** Name of the schema with the merchant's tables. */
  schema: string
  tables: readonly TableRows[]
  progress?: Progress
  signal?: AbortSignal
}

/** Milliseconds for one statement; only a server that has come to a halt takes so long. */
export const LOAD_TIMEOUT = 30 * 60_000

/**
 * Loads `tables`, in their order, if all of them are empty; resolves to whether it did.
 *
 * Two processes starting together are safe: the second waits for the first and then finds rows.
 */
export function loadIfEmpty(options: EmptyLoadOptions): Promise<boolean> {
  const { database, tables, progress = silentProgress, signal } = options
  const schema = quoteSchema(options.schema)
  const settings = { timeout: LOAD_TIMEOUT, ...(signal && { signal }) }
  return database.transaction(async (tx) => {
    const load: Load = { tx, schema, tables, settings }
    await lockTables(load)
    if (!(await areEmpty(load))) return false
    const keys = await dropForeignKeys(tx, schema)
    await copyTables(load, progress)
    await restoreForeignKeys(tx, keys, settings)
    await finishTables(load)
    return true
  }, settings)
}

interface Load {
  tx: Transaction
  /** Quoted. */
  schema: string
  tables: readonly TableRows[]
  settings: { timeout: number; signal?: AbortSignal }
}

function names({ schema, tables }: Load): string {
  return tables.map(({ table }) => `${schema}.${table}`).join(', ')
}

async function lockTables(load: Load): Promise<void> {
  await load.tx.query(`LOCK TABLE ${names(load)} IN ACCESS EXCLUSIVE MODE`, [], load.settings)
}

async function areEmpty({ tx, schema, tables }: Load): Promise<boolean> {
  const found = tables.map(({ table }) => `EXISTS (SELECT FROM ${schema}.${table})`).join(' OR ')
  const { rows } = await tx.query<{ found: boolean }>(`SELECT ${found} AS found`)
  return rows[0]?.found !== true
}

async function copyTables(load: Load, progress: Progress): Promise<void> {
  const { tx, schema, tables, settings } = load
  const total = tables.reduce((sum, { count }) => sum + count, 0)
  let done = 0
  await tx.query(`TRUNCATE ${names(load)}`, [], settings)
  for (const { table, columns, rows } of tables) {
    const label = table.replaceAll('_', ' ')
    progress({ done, total, label })
    const source = copyText(rows(), (count) => {
      done += count
      progress({ done, total, label })
    })
    const target = `${schema}.${table} (${columns.join(', ')})`
    await tx.copyIn(`COPY ${target} FROM STDIN WITH (FREEZE)`, chunksOf(source), settings)
  }
}

/** A generator's chunks as the copy port takes them. */
async function* chunksOf(chunks: Iterable<string>): AsyncGenerator<string> {
  yield* chunks
}

/** Sequences go on after the highest id, and the planner knows the tables. */
async function finishTables(load: Load): Promise<void> {
  const { tx, schema, tables, settings } = load
  for (const { table, columns } of tables)
    if (columns.includes('id'))
      await tx.query(
        `SELECT setval(pg_get_serial_sequence($1, 'id'), max(id)) FROM ${schema}.${table} HAVING max(id) IS NOT NULL`,
        [`${schema}.${table}`],
      )
  await tx.query(`ANALYZE ${names(load)}`, [], settings)
}
