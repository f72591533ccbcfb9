import { currentContext, databaseQuery } from '@tailwater/core'
import type { QueryResult, Statement } from '../queryable.ts'
import type { Connection } from './connection.ts'

/** The rows of a statement, with the command tag by which a COMMIT that rolled back is told apart. */
export interface ServerResult extends QueryResult<Record<string, unknown>> {
  command: string
}

/**
 * One statement on its way: waiting for a connection, running, or settled.
 *
 * It is its own place in the pool's queue and holds its own promise, so that a statement costs one
 * object and one promise however it gets to the server.
 */
export class StatementRun {
  readonly text: string
  readonly name: string | undefined
  readonly values: readonly unknown[] | undefined
  readonly result: Promise<ServerResult>
  readonly requestId: string | undefined
  resolve!: (result: ServerResult) => void
  reject!: (error: unknown) => void
  /** Set when handed to a connection: from then on the server may have seen it. */
  connection: Connection | undefined
  startedAt = 0
  /** Milliseconds from being handed to the connection to its last row. */
  elapsed = 0
  /** When it joined the pool's queue. */
  since = 0
  /** The queue it waits in, to leave it when given up. */
  queue: Set<unknown> | undefined
  /** Why the caller no longer waits. */
  abandoned: Error | undefined

  constructor(statement: string | Statement, values: readonly unknown[] | undefined) {
    if (typeof statement === 'string') {
      this.text = statement
      this.name = undefined
    } else {
      this.text = statement.text
      this.name = statement.name
    }
    this.values = values
    this.requestId = databaseQuery.hasSubscribers ? currentContext()?.requestId : undefined
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  /** Whether the server may have seen it. */
  get sent(): boolean {
    return this.connection !== undefined
  }

  take(connection: Connection): void {
    connection.execute(this)
  }

  fail(error: unknown): void {
    this.reject(error)
  }

  /** Settles it with `reason` at once; if it is running, the server is asked to cancel it. */
  abandon(reason: Error): void {
    if (this.abandoned) return
    this.abandoned = reason
    this.reject(reason)
    this.queue?.delete(this)
    this.connection?.cancel(this)
  }
}
