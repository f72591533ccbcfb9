import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { type Database, quoteSchema, type Transaction } from '@tailwater/postgres'
import { CHUNK_CHARACTERS, copyLine } from '../copy_text.ts'
import { LOAD_TIMEOUT } from '../empty_load.ts'
import { dropForeignKeys, restoreForeignKeys } from '../foreign_keys.ts'
import { type Progress, silentProgress } from '../progress.ts'
import { readInvoiceLines } from './invoice_lines.ts'
import { SERVICE_CODES } from './line_kind.ts'
import { createOddityLog, type ImportReport, type OddityLog } from './oddity.ts'
import { OTHER_CATEGORY, SERVICE_CATEGORY, SOLD_CATEGORIES } from './sold_categories.ts'
import { findSourceFile, type SourceFile } from './source_file.ts'
import { createStage } from './staged_line.ts'
import { type ImportStatements, importStatements } from './statements.ts'

/*
 * Import of UCI Online Retail (D. Chen, UCI Machine Learning Repository, CC BY 4.0), or of any file of its shape.
 *
 * One transaction: the file is streamed into a temporary table by COPY, then becomes products, customers, orders and lines
 * by a handful of statements over whole sets. A process killed half-way leaves nothing behind.
 *
 * A line's key is its invoice and its ordinal therein, so that exact duplicates are kept and a file imported again, or
 * a longer one after a shorter, adds only the lines that are missing. What is there already is never changed, except that
 * an order that gets further lines gets their total too.
 */

/** What is imported, and where to. */
export interface ImportOptions {
  database: Database
  /** Name of the schema with the merchant's tables, migrated. */
  schema: string
  /** Path of a CSV file, or of a gzipped one. */
  file: string
  /** The merchant whose sales the file holds; made if there is none of that slug. @default online-retail */
  merchant?: { slug: string; name: string }
  /** Given to the merchant in the same transaction; it may have it already. */
  apiKey?: string
  /**
   * That nobody else works with the orders: their lines' foreign keys are checked all at once, which takes a third of
   * the time off. Needs the tables' owner.
   * @default false
   */
  exclusive?: boolean
  progress?: Progress
  signal?: AbortSignal
}

/** What an import did. */
export interface ImportResult {
  /** Lines in the file, without its header. */
  lines: number
  /** Those of them that weren't there before. */
  added: number
  report: ImportReport
}

/** The merchant that sales belong to when no other is named. */
export const ONLINE_RETAIL = { slug: 'online-retail', name: 'Online Retail' }

/** Lines inserted by one statement: progress is told, and an abort heard, about every half second. */
const LINES_PER_STATEMENT = 50_000

/**
 * Imports a file of invoice lines; importing it again adds nothing. Stock is not moved.
 *
 * @throws E_IMPORT_FILE, E_IMPORT_GZIP, E_IMPORT_ENCODING, E_IMPORT_EMPTY, E_IMPORT_HEADER, E_IMPORT_CSV, E_IMPORT_VALUE; nothing has been imported then
 */
export async function importOnlineRetail(options: ImportOptions): Promise<ImportResult> {
  const { database, file, merchant = ONLINE_RETAIL, progress = silentProgress, signal } = options
  const schema = quoteSchema(options.schema)
  const source = await findSourceFile(file, signal)
  const settings = { timeout: LOAD_TIMEOUT, ...(signal && { signal }) }
  const result = await database.transaction(async (tx) => {
    const work: Work = { tx, schema, statements: importStatements(schema), settings, progress, log: createOddityLog() }
    const staged = await stageLines(work, source)
    const merchantId = await writeCatalogue(work, merchant)
    if (options.apiKey) await tx.query(work.statements.insertApiKey, [merchantId, hashOf(options.apiKey)])
    const keys = options.exclusive ? await dropForeignKeys(tx, schema, ['order_lines']) : []
    const added = await writeOrders(work, merchantId, staged)
    await restoreForeignKeys(tx, keys, settings)
    const report = await finishReport(work)
    await tx.query(work.statements.insertImport, [basename(file), staged.lines, added, JSON.stringify(report)])
    return { lines: staged.lines, added, report }
  }, settings)
  // So that the planner knows the new rows, and index-only scans need not look at the tables.
  if (result.added > 0) await database.query(importStatements(schema).vacuum, [], settings)
  return result
}

function hashOf(apiKey: string): Buffer {
  return createHash('sha256').update(apiKey).digest()
}

interface Work {
  tx: Transaction
  /** Quoted. */
  schema: string
  statements: ImportStatements
  settings: { timeout: number; signal?: AbortSignal }
  progress: Progress
  log: OddityLog
}

interface Staged {
  lines: number
  /** The number of the file's last line; more than `lines` when there are blank ones or line breaks inside fields. */
  lastLine: number
}

async function stageLines({ tx, statements, settings, progress, log }: Work, source: SourceFile): Promise<Staged> {
  const staged: Staged = { lines: 0, lastLine: 0 }
  await tx.query("SET LOCAL work_mem = '128MB'")
  await tx.query(statements.createStaging)
  const stage = createStage(log)
  async function* chunks(): AsyncGenerator<string> {
    let chunk = ''
    const { text, bytesRead } = source.read()
    for await (const line of readInvoiceLines(text)) {
      chunk += copyLine(stage(line))
      staged.lines++
      staged.lastLine = line.line
      if (chunk.length < CHUNK_CHARACTERS) continue
      yield chunk
      chunk = ''
      // How many lines are to come is estimated by the bytes that are. Each is read, and then written.
      const total = 2 * Math.round((staged.lines * source.size) / Math.max(1, bytesRead()))
      progress({ done: staged.lines, total, label: 'reading lines' })
    }
    yield chunk
  }
  await tx.copyIn(statements.copyStaging, chunks(), settings)
  return staged
}

/** Makes the merchant, the categories, and the products and customers that aren't there yet; returns the merchant's id. */
async function writeCatalogue(work: Work, merchant: { slug: string; name: string }): Promise<string> {
  const { tx, schema, statements, settings } = work
  await tx.query(statements.analyseStaging)
  await tx.query(statements.createStagedOrders, [], settings)
  await tx.query(statements.analyseStagedOrders)
  await tx.query(statements.insertMerchant, [merchant.slug, merchant.name])
  const { rows } = await tx.query<{ id: string }>(statements.lockMerchant, [merchant.slug], settings)
  const merchantId = rows[0]!.id
  for (const { slug, name } of SOLD_CATEGORIES)
    await tx.query(statements.insertCategory, [`${schema}.categories`, slug, name])
  const sorted = SOLD_CATEGORIES.filter(({ words }) => words !== undefined)
  const rules = [sorted.map(({ slug }) => slug), sorted.map(({ words }) => words)]
  const products = [merchantId, ...rules, OTHER_CATEGORY, SERVICE_CATEGORY, SERVICE_CODES]
  await tx.query(statements.insertProducts, products, settings)
  await tx.query(statements.insertCustomers, [merchantId], settings)
  return merchantId
}

/** Writes the orders and lines that aren't there yet; returns how many lines those are. */
async function writeOrders(work: Work, merchantId: string, { lines, lastLine }: Staged): Promise<number> {
  const { tx, statements, settings, progress } = work
  const { rowCount: existing } = await tx.query(statements.findOrders, [merchantId], settings)
  await tx.query(statements.insertOrders, [merchantId], settings)
  await tx.query(statements.analyseStagedOrders)
  let added = 0
  for (let from = 0; from < lastLine; from += LINES_PER_STATEMENT) {
    const to = from + LINES_PER_STATEMENT
    settings.signal?.throwIfAborted()
    progress({ done: lines + Math.round((lines * from) / lastLine), total: 2 * lines, label: 'writing order lines' })
    const { rowCount } = await tx.query(statements.insertLines, [merchantId, from, to], settings)
    added += rowCount ?? 0
  }
  progress({ done: 2 * lines, total: 2 * lines, label: 'writing order lines' })
  settings.signal?.throwIfAborted()
  if (added > 0 && existing) await tx.query(statements.completeOrders, [merchantId], settings)
  return added
}

async function finishReport({ tx, statements, settings, log }: Work): Promise<ImportReport> {
  for (const reason of ['duplicate', 'changed'] as const) {
    const text = reason === 'duplicate' ? statements.duplicates : statements.changed
    const { rows } = await tx.query<{ line: number }>(text, [], settings)
    for (const { line } of rows) log.add(reason, line)
  }
  return log.report()
}
