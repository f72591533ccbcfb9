import type { Writable } from 'node:stream'
import { backgroundError, toError } from '@tailwater/core'
import type { Transaction } from '../database.ts'
import type { QueryOptions, QueryResult, Statement } from '../queryable.ts'
import type { Connection } from './connection.ts'
import { type CopySource, copyFrom, copyTo } from './copy.ts'
import { databaseError } from './failure.ts'
import { outlasts, performQuery } from './perform.ts'
import { StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'

/** A transaction in progress on a connection held for it. */
export class RunningTransaction implements Transaction {
  readonly #connection: Connection
  readonly #site: StatementSite
  readonly #tasks: (() => void | Promise<void>)[] = []
  #depth = 0
  #copying: AbortController | undefined
  #ended: Error | undefined
  /** The failure of which the server has not been told to forget by a ROLLBACK TO. */
  failure: Error | undefined

  constructor(connection: Connection, site: StatementSite) {
    this.#connection = connection
    this.#site = site
  }

  async query<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>> {
    this.#refuseEnded()
    if (outlasts(options?.timeout, this.#site.statementTimeout))
      return this.#unlimited(options!.timeout!, () => this.#run(statement, values, options))
    return this.#run(statement, values, options)
  }

  async copyIn(text: string, source: CopySource, options: QueryOptions = {}): Promise<number> {
    this.#refuseEnded()
    return this.#unlimited(options.timeout ?? 0, () =>
      copyFrom(this.#connection, text, source, this.#interruptible(options), this.#site),
    )
  }

  async copyOut(text: string, sink: Writable, options: QueryOptions = {}): Promise<number> {
    this.#refuseEnded()
    return this.#unlimited(options.timeout ?? 0, () =>
      copyTo(this.#connection, text, sink, this.#interruptible(options), this.#site),
    )
  }

  afterCommit(task: () => void | Promise<void>): void {
    this.#refuseEnded()
    this.#tasks.push(task)
  }

  async savepoint<T>(body: () => Promise<T>): Promise<T> {
    const name = `step_${++this.#depth}`
    const tasksBefore = this.#tasks.length
    await this.query(`SAVEPOINT ${name}`)
    try {
      const result = await body()
      await this.query(`RELEASE SAVEPOINT ${name}`)
      return result
    } catch (error) {
      this.#tasks.length = Math.min(this.#tasks.length, tasksBefore)
      await this.query(`ROLLBACK TO SAVEPOINT ${name}; RELEASE SAVEPOINT ${name}`)
      this.failure = undefined
      throw error
    } finally {
      this.#depth--
    }
  }

  /** From here on its statements are refused; `reason` says why. */
  end(
    reason: Error = databaseError(
      'E_TRANSACTION_ENDED',
      'the transaction has ended; await every statement within its body',
    ),
  ): void {
    this.#ended ??= reason
  }

  /** Ends it, and whatever statement it is waiting for. */
  interrupt(reason: Error): void {
    this.end(reason)
    this.#copying?.abort(reason)
    this.#connection.interrupt(reason)
  }

  async runAfterCommit(source: string): Promise<void> {
    for (const task of this.#tasks) {
      try {
        await task()
      } catch (error) {
        if (backgroundError.hasSubscribers)
          backgroundError.publish({ source: `${source}.afterCommit`, error: toError(error) })
      }
    }
  }

  async #run<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>> {
    try {
      return await performQuery<Row>(this.#connection, new StatementRun(statement, values), options, this.#site)
    } catch (error) {
      this.failure ??= toError(error)
      throw error
    }
  }

  /** Lifts the server's own limit for one step; after a failure it is the rollback that restores it. */
  async #unlimited<T>(timeout: number, step: () => Promise<T>): Promise<T> {
    const own = this.#site.statementTimeout
    if (own === 0) return step()
    await this.#run(`SET LOCAL statement_timeout = ${Math.ceil(timeout)}`)
    const result = await step().catch((error: unknown) => {
      this.failure ??= toError(error)
      throw error
    })
    await this.#run(`SET LOCAL statement_timeout = ${own}`)
    return result
  }

  #interruptible({ signal, ...options }: QueryOptions): QueryOptions {
    this.#copying ??= new AbortController()
    const own = this.#copying.signal
    return { ...options, signal: signal ? AbortSignal.any([signal, own]) : own }
  }

  #refuseEnded(): void {
    if (this.#ended) throw this.#ended
  }
}
