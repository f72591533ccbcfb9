import type { Readable, Writable } from 'node:stream'
import { type Clock, createService, type Service, systemClock } from '@tailwater/core'
import type { Database, PoolStats, Session, Transaction, TransactionOptions } from '../database.ts'
import type { Queryable, QueryOptions, QueryResult, Statement } from '../queryable.ts'
import type { Connection } from './connection.ts'
import type { ConnectionSource } from './connection_source.ts'
import { type ConnectorSettings, connect } from './connector.ts'
import { copyFrom, copyTo } from './copy.ts'
import { databaseError } from './failure.ts'
import { HeldSession } from './held_session.ts'
import { type DatabaseOptions, type ResolvedDatabaseOptions, resolveDatabaseOptions } from './options.ts'
import { ConnectionPool } from './pool.ts'
import type { ServerAddress } from './server_address.ts'
import { type StatementSite, settle } from './settle.ts'
import { StatementRun } from './statement_run.ts'
import { type TransactionSite, transact } from './transact.ts'

/**
 * PostgreSQL for one process.
 *
 * @example
 * const database = createDatabase({ url: 'postgres://app:secret@localhost:5432/shop' })
 * await database.start()
 * const { rows } = await database.query<{ id: number }>('SELECT id FROM product WHERE sku = $1', ['A-1'])
 * await database.stop()
 *
 * @throws E_OPTIONS
 */
export function createDatabase(options: DatabaseOptions, { clock = systemClock }: { clock?: Clock } = {}): Database {
  return new PostgresDatabase(resolveDatabaseOptions(options), clock)
}

class PostgresDatabase implements Database {
  readonly name: string
  readonly reader: Queryable
  readonly #options: ResolvedDatabaseOptions
  readonly #clock: Clock
  readonly #primary: ConnectionSource
  readonly #site: TransactionSite
  readonly #service: Service
  readonly #sessions = new Set<HeldSession>()

  constructor(options: ResolvedDatabaseOptions, clock: Clock) {
    this.name = options.name
    this.#options = options
    this.#clock = clock
    this.#primary = this.#poolTo(options.primary!)
    this.#site = {
      name: options.name,
      source: this.#primary,
      where: options.primary!.where,
      statementTimeout: options.statementTimeout,
      transactionTimeout: options.transactionTimeout,
      preamble: options.pooled ? `; SET LOCAL statement_timeout = ${options.statementTimeout}` : '',
      clock,
    }
    this.reader = { query: (statement, values, limits) => this.query(statement, values, limits) }
    this.#service = createService(options.name, {
      start: () => this.#primary.start(),
      stop: async (deadline) => {
        for (const session of this.#sessions) await session.release()
        await this.#primary.stop(deadline)
      },
    })
  }

  start(): Promise<void> {
    return this.#service.start()
  }

  stop(deadline?: number): Promise<void> {
    return this.#service.stop(deadline)
  }

  query<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>> {
    const run = new StatementRun(statement, values)
    this.#primary.run(run)
    return settle<Row>(run, options, this.#site)
  }

  transaction<T>(body: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return transact(this.#site, body, options)
  }

  copyIn(
    text: string,
    source: Readable | AsyncIterable<Uint8Array | string>,
    options: QueryOptions = {},
  ): Promise<number> {
    return this.#holding(options, (connection) => copyFrom(connection, text, source, options))
  }

  copyOut(text: string, sink: Writable, options: QueryOptions = {}): Promise<number> {
    return this.#holding(options, (connection) => copyTo(connection, text, sink, options))
  }

  async session(): Promise<Session> {
    const { pooled, direct, primary } = this.#options
    const address = direct ?? (pooled ? undefined : primary)
    if (!address)
      throw databaseError(
        'E_NO_SESSION',
        'a session needs the server itself, and url leads to a transaction pooler: set directUrl',
      )
    const site: StatementSite = { where: address.where, statementTimeout: 0, clock: this.#clock }
    const connection = await connect(
      {
        ...this.#connectorSettings(address, 'primary'),
        pooled: false,
        statementTimeout: 0,
        idleInTransactionTimeout: 0,
      },
      this.#clock,
    )
    const session: HeldSession = new HeldSession(connection, site, async (held) => {
      this.#sessions.delete(session)
      if (!held.lost) await held.end()
    })
    this.#sessions.add(session)
    return session
  }

  stats(): { primary: PoolStats; replica: PoolStats | undefined; sessions: number } {
    return { primary: this.#primary.stats(), replica: undefined, sessions: this.#sessions.size }
  }

  async #holding<T>({ signal }: QueryOptions, body: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = await this.#primary.acquire(signal)
    try {
      return await body(connection)
    } finally {
      this.#primary.release(connection)
    }
  }

  #poolTo(address: ServerAddress): ConnectionPool {
    const { name, min, max, acquireTimeout, idleTimeout } = this.#options
    const settings = this.#connectorSettings(address, 'primary')
    return new ConnectionPool(
      { name, target: 'primary', min, max, acquireTimeout, idleTimeout },
      () => connect(settings, this.#clock),
      this.#clock,
    )
  }

  #connectorSettings(address: ServerAddress, target: 'primary' | 'replica'): ConnectorSettings {
    const { pooled, applicationName, role, connectTimeout, statementTimeout, transactionTimeout } = this.#options
    return {
      address,
      target,
      pooled,
      applicationName,
      role,
      connectTimeout,
      statementTimeout,
      idleInTransactionTimeout: transactionTimeout,
    }
  }
}
