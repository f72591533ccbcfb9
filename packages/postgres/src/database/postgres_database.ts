import type { Writable } from 'node:stream'
import { type Clock, createService, type Service } from '@tailwater/core'
import type { Database, PoolStats, Session, Transaction, TransactionOptions } from '../database.ts'
import type { Queryable, QueryOptions, QueryResult, Statement } from '../queryable.ts'
import { type Allowance, allowanceOf, announce, fitToServer, LIMITS_TEXT, readLimits } from './budget.ts'
import type { ConnectionSource } from './connection_source.ts'
import { type ConnectorSettings, connect } from './connector.ts'
import type { CopySource } from './copy.ts'
import { ForeignSource } from './foreign_source.ts'
import type { ResolvedDatabaseOptions } from './options.ts'
import { queryOn } from './patient_query.ts'
import { perform } from './perform.ts'
import { ConnectionPool } from './pool.ts'
import { ReadRouter, Replica, sumOfStats } from './read_router.ts'
import type { ServerAddress } from './server_address.ts'
import { Sessions } from './sessions.ts'
import { StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'
import { type TransactionSite, transact } from './transact.ts'

/** What `stop` waits for running work when it is given no deadline; milliseconds. */
const STOP_PATIENCE = 30_000
/** How long the server may go on with a statement after its own limit before we cancel it ourselves; milliseconds. */
const WATCH_GRACE = 5_000
const YOUR_POOL = "your pool's server"

/** The `Database` that `createDatabase` makes. */
export class PostgresDatabase implements Database {
  readonly name: string
  readonly reader: Queryable
  readonly #options: ResolvedDatabaseOptions
  readonly #clock: Clock
  readonly #primary: ConnectionSource
  readonly #replicas: readonly Replica[]
  readonly #router: ReadRouter
  readonly #sessions: Sessions
  readonly #site: StatementSite
  readonly #transactions: TransactionSite
  readonly #service: Service

  constructor(options: ResolvedDatabaseOptions, clock: Clock) {
    this.name = options.name
    this.#options = options
    this.#clock = clock
    this.#primary = options.primary
      ? this.#poolTo(options.primary, 'primary')
      : new ForeignSource(options.pool!, options, clock)
    this.#site = this.#siteOf(options.primary?.where ?? YOUR_POOL)
    this.#transactions = this.#transactionSite()
    this.#replicas = options.replicas.map(
      (address) => new Replica(this.#poolTo(address, 'replica'), this.#siteOf(address.where)),
    )
    this.#router = new ReadRouter(this.#primary, this.#site, this.#replicas)
    this.reader =
      this.#replicas.length > 0
        ? this.#router
        : { query: (statement, values, limits) => this.#read(statement, values, limits) }
    this.#sessions = new Sessions(
      options,
      (address) => connect(this.#sessionSettings(address), clock),
      this.#primary,
      clock,
    )
    this.#service = createService(options.name, {
      start: () => this.#start(),
      stop: (deadline) => this.#stop(deadline),
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
    const running = queryOn<Row>(this.#primary, new StatementRun(statement, values, this.#primary), options, this.#site)
    return this.#replicas.length > 0 ? this.#router.noteWrite(running) : running
  }

  transaction<T>(body: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    const running = transact(this.#transactions, body, options)
    return this.#replicas.length > 0 && !options?.readOnly ? this.#router.noteWrite(running) : running
  }

  /** In a transaction of its own, without a limit unless one is given. */
  copyIn(text: string, source: CopySource, { signal, timeout = 0 }: QueryOptions = {}): Promise<number> {
    return this.transaction((tx) => tx.copyIn(text, source), { ...(signal ? { signal } : {}), timeout })
  }

  copyOut(text: string, sink: Writable, { signal, timeout = 0 }: QueryOptions = {}): Promise<number> {
    return this.transaction((tx) => tx.copyOut(text, sink), { ...(signal ? { signal } : {}), timeout, readOnly: true })
  }

  session(options: { signal?: AbortSignal } = {}): Promise<Session> {
    return this.#sessions.open(options.signal)
  }

  stats(): { primary: PoolStats; replica: PoolStats | undefined; sessions: number } {
    const replica = sumOfStats(this.#replicas.map(({ pool }) => pool.stats()))
    return { primary: this.#primary.stats(), replica, sessions: this.#sessions.count }
  }

  /** A read may run twice, and so survives the loss of its connection. */
  #read<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>> {
    return queryOn<Row>(this.#primary, new StatementRun(statement, values, this.#primary, true), options, this.#site)
  }

  async #start(): Promise<void> {
    await this.#primary.start()
    try {
      this.#allow(await this.#agreeOnConnections())
    } catch (error) {
      await this.#primary.stop(this.#clock.elapsed())
      throw error
    }
    for (const { pool } of this.#replicas) pool.startInBackground()
  }

  async #stop(deadline = this.#clock.elapsed() + STOP_PATIENCE): Promise<void> {
    await this.#sessions.close()
    await Promise.all([this.#primary, ...this.#replicas.map(({ pool }) => pool)].map((source) => source.stop(deadline)))
  }

  /** Through a pooler, or a user's pool, the server's limit is not ours to weigh. */
  async #agreeOnConnections(): Promise<Allowance> {
    const { where } = this.#site
    const options = this.#options
    const isOurs = this.#primary instanceof ConnectionPool && !options.pooled
    const limits = isOurs
      ? readLimits(await perform(this.#primary, new StatementRun(LIMITS_TEXT, undefined), undefined, this.#site))
      : undefined
    const allowance = limits ? fitToServer(options, limits, where) : allowanceOf(options)
    announce(options, allowance, limits, where)
    return allowance
  }

  #allow({ min, max, sessions }: Allowance): void {
    if (this.#primary instanceof ConnectionPool) this.#primary.resize(min, max)
    this.#sessions.max = sessions
  }

  #poolTo(address: ServerAddress, target: 'primary' | 'replica'): ConnectionPool {
    const { name, min, max, acquireTimeout, idleTimeout } = this.#options
    const settings = this.#connectorSettings(address, target)
    const label = target === 'primary' ? name : `${name} replica`
    return new ConnectionPool(
      { name: label, min, max, acquireTimeout, idleTimeout },
      () => connect(settings, this.#clock),
      this.#clock,
    )
  }

  #siteOf(where: string): StatementSite {
    const { statementTimeout: own, pooled, primary } = this.#options
    const server = primary && !pooled ? own : 0
    return { where, statementTimeout: server, watch: server > 0 ? server + WATCH_GRACE : own, clock: this.#clock }
  }

  /** Through a pooler the limits come with each transaction; a user's pool keeps its own. */
  #transactionSite(): TransactionSite {
    const { name, pooled, transactionTimeout, statementTimeout } = this.#options
    const site = { ...this.#site, name, source: this.#primary, transactionTimeout, limited: !pooled }
    return pooled ? { ...site, statementTimeout } : site
  }

  #connectorSettings(address: ServerAddress, target: 'primary' | 'replica'): ConnectorSettings {
    const { pooled, applicationName, role, connectTimeout, statementTimeout, transactionTimeout } = this.#options
    const settings = { address, target, applicationName, role, connectTimeout, statementTimeout }
    return { ...settings, pooled: pooled && target === 'primary', idleInTransactionTimeout: transactionTimeout }
  }

  /** A session is its holder's own: no limits, and never a pooler. */
  #sessionSettings(address: ServerAddress): ConnectorSettings {
    return {
      ...this.#connectorSettings(address, 'primary'),
      pooled: false,
      statementTimeout: 0,
      idleInTransactionTimeout: 0,
    }
  }
}
