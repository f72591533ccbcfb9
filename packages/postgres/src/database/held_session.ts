import type { Writable } from 'node:stream'
import { backgroundError, toError } from '@tailwater/core'
import type { Session } from '../database.ts'
import type { QueryOptions, QueryResult, Statement } from '../queryable.ts'
import type { Connection } from './connection.ts'
import { type CopySource, copyFrom, copyTo } from './copy.ts'
import { databaseError } from './failure.ts'
import { performQuery } from './perform.ts'
import { StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'

/** A session on a connection of its own. */
export class HeldSession implements Session {
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #site: StatementSite
  #released = false

  constructor(connection: Connection, site: StatementSite) {
    this.#connection = connection
    this.#site = site
    this.closed = connection.ended
    connection.held = true
  }

  async query<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>> {
    this.#refuseEnded()
    return performQuery<Row>(this.#connection, new StatementRun(statement, values), options, this.#site)
  }

  async copyIn(text: string, source: CopySource, options: QueryOptions = {}): Promise<number> {
    this.#refuseEnded()
    return copyFrom(this.#connection, text, source, options, this.#site)
  }

  async copyOut(text: string, sink: Writable, options: QueryOptions = {}): Promise<number> {
    this.#refuseEnded()
    return copyTo(this.#connection, text, sink, options, this.#site)
  }

  onNotification(handler: (channel: string, payload: string) => void): void {
    this.#connection.client.on('notification', ({ channel, payload }) => {
      try {
        handler(channel, payload ?? '')
      } catch (error) {
        if (backgroundError.hasSubscribers)
          backgroundError.publish({ source: 'session.onNotification', error: toError(error) })
      }
    })
  }

  /** What the session has set, locked or listened to ends with its connection, which nobody gets after it. */
  async release(): Promise<void> {
    this.#released = true
    if (this.#connection.lost) return
    await this.#connection.end()
  }

  #refuseEnded(): void {
    if (this.#released) throw databaseError('E_DATABASE_CLOSED', 'the session has been released')
    const cause = this.#connection.lost
    if (!cause) return
    throw databaseError(
      'E_DATABASE_UNAVAILABLE',
      `the session's connection to PostgreSQL at ${this.#site.where} was lost`,
      { cause, sent: false },
    )
  }
}
