import { type Clock, hasCode, sleep, toError } from '@tailwater/core'
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
    // A server that cannot be reached is the caller's to wait for; only a connection once had is worth another.
    const connection = await site.source.acquire(options.signal)
    try {
      return await attemptOnce(connection, site, body, options)
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

async function attemptOnce<T>(
  connection: Connection,
  site: TransactionSite,
  body: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const own = siteWithin(site, options)
  const tx = new RunningTransaction(connection, own)
  const guard = new TransactionGuard(options.signal, options.timeout ?? site.transactionTimeout, site.clock)
  let result: T
  try {
    await statement(connection, own, beginText(site, own, options))
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
  const begin = `BEGIN${isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`}${readOnly ? ' READ ONLY' : ''}`
  const steps = [begin]
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
    if (!connection.lost) await statement(connection, site, 'ROLLBACK')
  } catch (error) {
    connection.lose(toError(error))
  }
  site.source.release(connection)
}

function statement(connection: Connection, site: StatementSite, text: string) {
  return perform(connection, new StatementRun(text, undefined), undefined, site)
}
