import { type Clock, notice, sleep } from '@tailwater/core'
import { type Database, hasSqlState, quoteSchema, type Session } from '@tailwater/postgres'
import { type IndexDefinition, indexes } from './indexes.ts'

/** Where indexes are made. */
export interface IndexTarget {
  database: Database
  /** Name of the schema with the merchant's tables. */
  schema: string
  clock: Clock
  signal?: AbortSignal
  /** Told of each index, before it is looked at. */
  onProgress?(done: number, of: number, name: string): void
}

/** Milliseconds that making one index may take. */
const BUILD_TIMEOUT = 3_600_000

/** Milliseconds between two looks whether another process is done. */
const LOCK_INTERVAL = 200

/**
 * Makes the indexes that are missing, beside reads and writes that go on.
 *
 * Can be run again at any time, and by several processes at once: one works, the others wait and find all done. What an
 * interrupted run left behind is invalid; it is dropped and made anew.
 *
 * @returns the names of those made
 */
export async function createIndexes(target: IndexTarget): Promise<string[]> {
  const session = await target.database.session(target.signal ? { signal: target.signal } : {})
  try {
    // The session's own, and ends with it: a large table takes longer than any request may.
    await session.query('SET statement_timeout = 0')
    await lockOut(session, target)
    return await createMissing(session, target)
  } finally {
    // Ends the connection's lock too.
    await session.release()
  }
}

/**
 * Waits by asking again and again: a statement that waits for the lock holds a snapshot, and CREATE INDEX
 * CONCURRENTLY, in the process that has the lock, waits for everybody's snapshots. The two would never end.
 */
async function lockOut(session: Session, { schema, clock, signal }: IndexTarget): Promise<void> {
  for (;;) {
    const { rows } = await session.query<{ locked: boolean }>(
      `SELECT pg_try_advisory_lock(hashtextextended('merchant indexes ' || $1::text, 0)) AS locked`,
      [schema],
    )
    if (rows[0]!.locked) return
    await sleep(clock, LOCK_INTERVAL, signal)
  }
}

async function createMissing(session: Session, target: IndexTarget): Promise<string[]> {
  const { schema, onProgress } = target
  const known = await readIndexes(session, schema)
  const trigrams = await ensureTrigrams(session)
  const made: IndexDefinition[] = []
  for (const [at, index] of indexes.entries()) {
    onProgress?.(at, indexes.length, index.name)
    if (known.get(index.name) || (trigrams === undefined && needsTrigrams(index))) continue
    const options = { timeout: BUILD_TIMEOUT, ...(target.signal && { signal: target.signal }) }
    for (const text of statementsFor(index, quoteSchema(schema), { trigrams, isLeftover: known.has(index.name) }))
      await session.query(text, [], options)
    made.push(index)
  }
  // Fresh statistics, and a visibility map without which no index is read alone.
  for (const table of new Set(made.map((index) => index.table)))
    await session.query(`VACUUM (ANALYZE) ${quoteSchema(schema)}.${table}`, [], { timeout: BUILD_TIMEOUT })
  return made.map((index) => index.name)
}

/** The indexes there are, and whether each is whole. */
async function readIndexes(session: Session, schema: string): Promise<Map<string, boolean>> {
  const { rows } = await session.query<{ name: string; isValid: boolean }>(
    `SELECT c.relname AS name, i.indisvalid AS "isValid" FROM pg_index i
     JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1`,
    [schema],
  )
  return new Map(rows.map((row) => [row.name, row.isValid]))
}

function needsTrigrams({ on }: IndexDefinition): boolean {
  return on.includes('gin_trgm_ops')
}

interface Circumstances {
  /** Schema of pg_trgm. */
  trigrams: string | undefined
  isLeftover: boolean
}

function* statementsFor(index: IndexDefinition, schema: string, { trigrams, isLeftover }: Circumstances) {
  if (isLeftover) yield `DROP INDEX CONCURRENTLY ${schema}.${index.name}`
  const on = index.on.replace('gin_trgm_ops', `${trigrams}.gin_trgm_ops`)
  yield `CREATE INDEX CONCURRENTLY ${index.name} ON ${schema}.${index.table} ${on}`
  yield `COMMENT ON INDEX ${schema}.${index.name} IS '${index.why.replaceAll("'", "''")}'`
}

/** The quoted schema of pg_trgm; undefined, and a notice, when it is not there and this role may not create it. */
async function ensureTrigrams(session: Session): Promise<string | undefined> {
  try {
    await session.query('CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public')
  } catch (error) {
    // 23505: another process created it between our look and ours; 42501, 0A000: not allowed, or not installed.
    if (!['23505', '42501', '0A000', '58P01'].some((state) => hasSqlState(error, state))) throw error
  }
  const { rows } = await session.query<{ schema: string }>(
    `SELECT quote_ident(n.nspname) AS schema FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_trgm'`,
  )
  if (!rows[0] && notice.hasSubscribers)
    notice.publish({
      source: 'merchant',
      level: 'warn',
      message:
        'searches for parts of titles and names will be slow: have an administrator CREATE EXTENSION pg_trgm, and restart',
    })
  return rows[0]?.schema
}
