import type { Readable, Writable } from 'node:stream'
import type { Session } from '../database.ts'
import type { QueryOptions, QueryResult, Statement } from '../queryable.ts'
import type { Connection, ConnectionOwner } from './connection.ts'
import { copyFrom, copyTo } from './copy.ts'
import { databaseError } from './failure.ts'
import { type StatementSite, settle } from './settle.ts'
import { StatementRun } from './statement_run.ts'

/** A session on a connection of its own. */
export class HeldSession implements Session, ConnectionOwner {
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #site: StatementSite
  readonly #giveBack: (connection: Connection) => Promise<void>
  #released = false
  readonly #onClosed: () => void

  /** @param giveBack closes the connection, or returns it to where it came from */
  constructor(connection: Connection, site: StatementSite, giveBack: (connection: Connection) => Promise<void>) {
    this.#connection = connection
    this.#site = site
    this.#giveBack = giveBack
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#onClosed = resolve
    connection.held = true
    connection.belongTo(this)
  }

  async query<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>> {
    this.#refuseReleased()
    const run = new StatementRun(statement, values)
    this.#connection.execute(run)
    return settle<Row>(run, options, this.#site)
  }

  async copyIn(
    text: string,
    source: Readable | AsyncIterable<Uint8Array | string>,
    options: QueryOptions = {},
  ): Promise<number> {
    this.#refuseReleased()
    return copyFrom(this.#connection, text, source, options)
  }

  async copyOut(text: string, sink: Writable, options: QueryOptions = {}): Promise<number> {
    this.#refuseReleased()
    return copyTo(this.#connection, text, sink, options)
  }

  onNotification(handler: (channel: string, payload: string) => void): void {
    this.#connection.client.on('notification', ({ channel, payload }) => handler(channel, payload ?? ''))
  }

  async release(): Promise<void> {
    if (this.#released) return this.closed
    this.#released = true
    if (!this.#connection.lost) await this.#giveBack(this.#connection)
    this.#onClosed()
  }

  onIdle(): void {}

  onLost(): void {
    this.#released = true
    void this.#giveBack(this.#connection)
    this.#onClosed()
  }

  #refuseReleased(): void {
    if (this.#connection.lost)
      throw databaseError(
        'E_DATABASE_UNAVAILABLE',
        `the session's connection to PostgreSQL at ${this.#site.where} was lost`,
        { cause: this.#connection.lost, sent: false },
      )
    if (this.#released) throw databaseError('E_DATABASE_CLOSED', 'the session has been released')
  }
}
