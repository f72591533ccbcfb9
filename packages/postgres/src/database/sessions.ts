import type { Clock } from '@tailwater/core'
import type { Session } from '../database.ts'
import type { Connection } from './connection.ts'
import type { ConnectionSource } from './connection_source.ts'
import { databaseError } from './failure.ts'
import { HeldSession } from './held_session.ts'
import type { ResolvedDatabaseOptions } from './options.ts'
import { cancelled } from './perform.ts'
import type { ServerAddress } from './server_address.ts'

/** The sessions of one database: connections beside the pools, within the budget. */
export class Sessions {
  readonly #options: ResolvedDatabaseOptions
  readonly #connect: (address: ServerAddress) => Promise<Connection>
  readonly #primary: ConnectionSource
  readonly #clock: Clock
  readonly #open = new Set<HeldSession>()
  #opening = 0
  /** Sessions at a time. */
  max = 0

  constructor(
    options: ResolvedDatabaseOptions,
    connectTo: (address: ServerAddress) => Promise<Connection>,
    primary: ConnectionSource,
    clock: Clock,
  ) {
    this.#options = options
    this.#connect = connectTo
    this.#primary = primary
    this.#clock = clock
  }

  get count(): number {
    return this.#open.size
  }

  /** @throws E_NO_SESSION, E_CONNECTION_BUDGET, E_DATABASE_UNAVAILABLE, E_QUERY_CANCELLED */
  async open(signal: AbortSignal | undefined): Promise<Session> {
    if (signal?.aborted) throw cancelled(signal)
    if (this.max === 0)
      throw databaseError('E_DATABASE_CLOSED', `${this.#options.name} is not started, or has been stopped`)
    const { pooled, direct, primary } = this.#options
    if (pooled && !direct) throw noSession()
    if (this.#open.size + this.#opening >= this.max) throw this.#overBudget()
    const address = direct ?? primary
    this.#opening++
    try {
      const connection = address ? await this.#connect(address) : await this.#primary.acquire(signal)
      const session = this.#keep(connection, address?.where ?? 'your pool')
      if (!signal?.aborted) return session
      await session.release()
      throw cancelled(signal)
    } finally {
      this.#opening--
    }
  }

  /** Closes those that nobody has released: what used them should have been stopped before. */
  async close(): Promise<void> {
    this.max = 0
    await Promise.all([...this.#open].map((session) => session.release()))
  }

  #keep(connection: Connection, where: string): HeldSession {
    const session = new HeldSession(connection, { where, statementTimeout: 0, watch: 0, clock: this.#clock })
    this.#open.add(session)
    void session.closed.then(() => this.#open.delete(session))
    return session
  }

  #overBudget(): Error {
    const { budget, name } = this.#options
    const message = `${name} has all its ${this.max} sessions open (of a budget of ${budget} connections): release one, or raise budget`
    return databaseError('E_CONNECTION_BUDGET', message, { budget, sessions: this.max })
  }
}

function noSession(): Error {
  return databaseError(
    'E_NO_SESSION',
    'a session needs the server itself, and url leads to a transaction pooler: set directUrl',
  )
}
