import { type Clock, hasCode, optionsError, sleep, toError } from '@tailwater/core'
import type { Transaction, TransactionOptions } from '../database.ts'
import { hasSqlState } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { ConnectionSource } from './connection_source.ts'
import { databaseError } from './failure.ts'
import { cancelled, outlasts, perform } from './perform.ts'
import { RunningTransaction } from './running_transaction.ts'
import { StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'
import { TransactionGuard } from './transaction_guard.ts'

/** What the transactions of one database have in common. */
export interface TransactionSite extends StatementSite {
  name: string
  source: ConnectionSource
  /** Milliseconds; 0 for no limit. */
  transactionTimeout: number
  /** Whether connections come with the limits set; through a pooler each transaction brings its own. */
  limited: boolean
}

const DEFAULT_RETRIES = 3
const MAX_BEGINNINGS = 3
const ISOLATION = {
  'read committed': ' ISOLATION LEVEL READ COMMITTED',
  'repeatable read': ' ISOLATION LEVEL REPEATABLE READ',
  serializable: ' ISOLATION LEVEL SERIALIZABLE',
}
/** Milliseconds before the first repetition, doubled for each next, and drawn at random up to that: those who collided must not meet again. */
const FIRST_BACKOFF = 10

/** Runs `body` in a transaction, again where that is safe and wanted. */
export async function transact<T>(
  site: TransactionSite,
  body: (tx: Transaction) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const retries =
    options.retries ?? (options.isolation === undefined || options.isolation === 'read committed' ? 0 : DEFAULT_RETRIES)
  for (let attempt = 0; ; attempt++) {
    const own = siteWithin(site, options)
    const connection = await begin(site, own, options)
    try {
      return await attemptOnce(connection, site, own, body, options)
    } catch (error) {
      if (attempt >= retries || !isRepeatable(error, connection)) throw error
    }
    await backOff(attempt, site.clock, options.signal)
  }
}

async function backOff(attempt: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(clock, Math.random() * FIRST_BACKOFF * 2 ** attempt, signal)
  } catch {
    throw cancelled(signal!)
  }
}

/** Rolled back by the server in favour of another, or lost before COMMIT was sent: nothing of it has happened. */
function isRepeatable(error: unknown, connection: Connection): boolean {
  if (hasCode(error, 'E_COMMIT_UNKNOWN')) return false
  if (hasSqlState(error, '40001', '40P01')) return true
  for (let at = error; connection.lost && at instanceof Error; at = at.cause)
    if (hasCode(at, 'E_DATABASE_UNAVAILABLE')) return true
  return false
}

/** Begins; on another connection when one turns out to be lost, because nothing of the body has run yet. */
async function begin(site: TransactionSite, own: StatementSite, options: TransactionOptions): Promise<Connection> {
  const text = beginText(site, own, options)
  const { signal } = options
  for (let attempt = 1; ; attempt++) {
    const connection = await site.source.acquire(signal)
    try {
      await perform(connection, new StatementRun(text, undefined), signal && { signal }, own)
      return connection
    } catch (error) {
      const rolledBack = rollBack(connection, site)
      if (!signal?.aborted) await rolledBack
      if (!connection.lost || signal?.aborted || attempt === MAX_BEGINNINGS) throw error
    }
  }
}

async function attemptOnce<T>(
  connection: Connection,
  site: TransactionSite,
  own: StatementSite,
  body: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const tx = new RunningTransaction(connection, own)
  const guard = new TransactionGuard(options.signal, options.timeout ?? site.transactionTimeout, site.clock)
  let result: T
  try {
    result = await guard.watch(tx, body)
    tx.end()
    await commit(connection, own, tx)
  } catch (error) {
    tx.end()
    const rolledBack = rollBack(connection, site)
    // Whoever has lost patience does not wait for this either; all others find their locks released.
    if (!guard.hasEnded) await rolledBack
    throw error
  } finally {
    guard.end()
  }
  site.source.release(connection)
  await tx.runAfterCommit(site.name)
  return result
}

/** A transaction that may take longer than a statement allows its statements as long. */
function siteWithin(site: TransactionSite, { timeout }: TransactionOptions): StatementSite {
  const { where, clock, watch } = site
  const patient = outlasts(timeout, site.statementTimeout)
  return { where, clock, statementTimeout: patient ? timeout : site.statementTimeout, watch: patient ? 0 : watch }
}

function beginText(
  site: TransactionSite,
  own: StatementSite,
  { isolation, readOnly, timeout }: TransactionOptions,
): string {
  const level = isolation === undefined ? '' : ISOLATION[isolation]
  if (level === undefined)
    throw optionsError('transaction.isolation', `one of ${Object.keys(ISOLATION).join(', ')}`, isolation)
  const steps = [`BEGIN${level}${readOnly ? ' READ ONLY' : ''}`]
  const patient = outlasts(timeout, site.transactionTimeout)
  if (!site.limited || own.statementTimeout !== site.statementTimeout)
    steps.push(`SET LOCAL statement_timeout = ${Math.ceil(own.statementTimeout)}`)
  if (!site.limited || patient) {
    const idle = patient ? timeout : site.transactionTimeout
    steps.push(`SET LOCAL idle_in_transaction_session_timeout = ${Math.ceil(idle)}`)
  }
  return steps.join('; ')
}

async function commit(connection: Connection, site: StatementSite, tx: RunningTransaction): Promise<void> {
  let tag: string
  const run = new StatementRun('COMMIT', undefined)
  try {
    tag = (await perform(connection, run, undefined, site)).command
  } catch (error) {
    if (!connection.lost || !run.sent) throw error
    const message = `the connection to PostgreSQL at ${site.where} was lost during COMMIT: the transaction may or may not have been committed`
    throw databaseError('E_COMMIT_UNKNOWN', message, { cause: error })
  }
  if (tag === 'ROLLBACK') throw swallowed(tx.failure)
}

function swallowed(failure: Error | undefined): Error {
  const message =
    'the transaction was rolled back: a statement failed, and its body went on; use savepoint for a step that may fail'
  return databaseError('E_TRANSACTION_ROLLED_BACK', message, { cause: failure })
}

/** Gives the connection back, or up; never throws: the caller's own error is what matters. */
async function rollBack(connection: Connection, site: TransactionSite): Promise<void> {
  try {
    if (!connection.lost) await perform(connection, new StatementRun('ROLLBACK', undefined), undefined, site)
  } catch (error) {
    connection.lose(toError(error))
  }
  site.source.release(connection)
}
