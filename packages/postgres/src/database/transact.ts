import { sleep, toError } from '@tailwater/core'
import type { Transaction, TransactionOptions } from '../database.ts'
import { hasSqlState } from '../errors.ts'
import type { Connection } from './connection.ts'
import type { ConnectionSource } from './connection_source.ts'
import { databaseError } from './failure.ts'
import { RunningTransaction } from './running_transaction.ts'
import { cancelled, type StatementSite, settle } from './settle.ts'
import { StatementRun } from './statement_run.ts'

/** What transactions of one database have in common. */
export interface TransactionSite extends StatementSite {
  name: string
  source: ConnectionSource
  /** Milliseconds; 0 for no limit. */
  transactionTimeout: number
  /** Sent with BEGIN, where the connection's own settings do not hold. */
  preamble: string
}

const DEFAULT_RETRIES = 3
/** Milliseconds before the first repetition, doubled for each next, and drawn at random up to that. */
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
    try {
      return await attemptOnce(site, body, options)
    } catch (error) {
      if (attempt >= retries || !isRepeatable(error)) throw error
      await sleep(site.clock, Math.random() * FIRST_BACKOFF * 2 ** attempt, options.signal)
    }
  }
}

/** Rolled back by the server in favour of another, or lost before COMMIT was sent: nothing of it has happened. */
function isRepeatable(error: unknown): boolean {
  if (hasSqlState(error, '40001', '40P01')) return true
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if ('code' in at && at.code === 'E_DATABASE_UNAVAILABLE' && 'details' in at)
      return (at.details as { sent?: boolean }).sent === true
  }
  return false
}

async function attemptOnce<T>(
  site: TransactionSite,
  body: (tx: Transaction) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  const connection = await site.source.acquire(options.signal)
  const tx = new RunningTransaction(connection, site)
  const guard = new Guard(site, options)
  let result: T
  try {
    await begin(connection, site, options)
    result = await guard.watch(body(tx), tx)
    guard.end()
    tx.end()
    if (tx.failure) throw swallowed(tx.failure)
    await commit(connection, site, tx)
  } catch (error) {
    tx.end()
    void rollBack(connection, site)
    throw error
  } finally {
    guard.end()
  }
  site.source.release(connection)
  await tx.runAfterCommit(site.name)
  return result
}

async function begin(
  connection: Connection,
  site: TransactionSite,
  { isolation, readOnly }: TransactionOptions,
): Promise<void> {
  const level = isolation === undefined ? '' : ` ISOLATION LEVEL ${isolation.toUpperCase()}`
  await statement(connection, site, `BEGIN${level}${readOnly ? ' READ ONLY' : ''}${site.preamble}`)
}

async function commit(connection: Connection, site: TransactionSite, tx: RunningTransaction): Promise<void> {
  let tag: string
  try {
    tag = (await statement(connection, site, 'COMMIT')).command
  } catch (error) {
    if (!connection.lost) throw error
    throw databaseError(
      'E_COMMIT_UNKNOWN',
      `the connection to PostgreSQL at ${site.where} was lost during COMMIT: the transaction may or may not have been committed`,
      {
        cause: error,
      },
    )
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
    await statement(connection, site, 'ROLLBACK')
  } catch (error) {
    connection.lose(toError(error))
  }
  site.source.release(connection)
}

async function statement(connection: Connection, site: StatementSite, text: string) {
  const run = new StatementRun(text, undefined)
  connection.execute(run)
  return (await settle(run, undefined, site)) as Awaited<typeof run.result>
}

/** Ends a transaction's body from outside: when its time is up, or its caller aborts. */
class Guard {
  #reason: Error | undefined
  #interrupt: ((reason: Error) => void) | undefined
  readonly #cancelTimer: (() => void) | undefined
  readonly #signal: AbortSignal | undefined

  constructor(site: TransactionSite, { signal, timeout = site.transactionTimeout }: TransactionOptions) {
    if (timeout > 0) this.#cancelTimer = site.clock.after(timeout, () => this.#end(outOfTime(timeout)))
    this.#signal = signal
    if (signal?.aborted) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  /** What `running` comes to, or the reason why it is no longer waited for. */
  watch<T>(running: Promise<T>, tx: RunningTransaction): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#interrupt = (reason) => {
        tx.interrupt(reason)
        reject(reason)
      }
      if (this.#reason) this.#interrupt(this.#reason)
      running.then(resolve, reject)
    })
  }

  end(): void {
    this.#cancelTimer?.()
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#interrupt = undefined
  }

  readonly #onAbort = () => this.#end(cancelled(this.#signal!))

  #end(reason: Error): void {
    this.#reason = reason
    this.#interrupt?.(reason)
  }
}

function outOfTime(timeout: number): Error {
  return databaseError('E_DATABASE_TIMEOUT', `the transaction took longer than ${timeout} ms and was rolled back`, {
    timeout,
  })
}
