import { type Clock, toError } from '@tailwater/core'
import type { PoolStats } from '../database.ts'
import { Connection } from './connection.ts'
import type { ConnectionSource } from './connection_source.ts'
import { databaseError } from './failure.ts'
import type { ForeignClient, ForeignPool } from './options.ts'
import { OverdueWatch } from './overdue_watch.ts'
import { cancelled } from './perform.ts'
import type { StatementRun } from './statement_run.ts'

/** What a pool says of itself, where it says nothing. */
const DEFAULT_MAX = 10

/**
 * Connections of a user's own pool. It is theirs: its settings hold, its connections go back to it, and it is never closed.
 */
export class ForeignSource implements ConnectionSource {
  readonly #pool: ForeignPool
  readonly #acquireTimeout: number
  readonly #named: boolean
  readonly #clock: Clock
  readonly #known = new WeakMap<ForeignClient, Connection>()
  readonly #taken = new Set<Connection>()
  readonly #watch: OverdueWatch
  #started = false
  #onReturned: (() => void) | undefined

  constructor(
    pool: ForeignPool,
    { acquireTimeout, pooled }: { acquireTimeout: number; pooled: boolean },
    clock: Clock,
  ) {
    this.#pool = pool
    this.#acquireTimeout = acquireTimeout
    this.#named = !pooled
    this.#clock = clock
    this.#watch = new OverdueWatch(clock, this.#taken, () => this.#taken.size === 0)
  }

  run(run: StatementRun): void {
    this.acquire().then(
      (connection) => {
        connection.held = false
        connection.run(run)
      },
      (error: unknown) => run.fail(error),
    )
  }

  async acquire(signal?: AbortSignal): Promise<Connection> {
    if (!this.#started)
      throw databaseError('E_DATABASE_CLOSED', 'the database is not started, or has been stopped', { sent: false })
    const client = await this.#checkOut(signal)
    const connection = this.#known.get(client) ?? this.#meet(client)
    connection.held = true
    this.#taken.add(connection)
    this.#watch.wake()
    return connection
  }

  release(connection: Connection): void {
    connection.letGo()
  }

  stats(): PoolStats {
    const { totalCount, idleCount, waitingCount, options } = this.#pool
    return {
      open: totalCount,
      idle: idleCount,
      waiting: waitingCount,
      min: options?.min ?? 0,
      max: options?.max ?? DEFAULT_MAX,
    }
  }

  async start(): Promise<void> {
    this.#started = true
    try {
      this.release(await this.acquire())
    } catch (error) {
      this.#started = false
      throw error
    }
  }

  async stop(deadline: number): Promise<void> {
    this.#started = false
    if (this.#taken.size === 0) return
    await new Promise<void>((resolve) => {
      const patience = this.#clock.after(Math.max(0, deadline - this.#clock.elapsed()), () => {
        for (const connection of this.#taken)
          connection.lose(databaseError('E_DATABASE_CLOSED', 'the database was stopped'))
      })
      this.#onReturned = () => {
        patience()
        resolve()
      }
    })
  }

  #meet(client: ForeignClient): Connection {
    const connection = new Connection(client, { target: 'primary', named: this.#named }, this.#clock)
    const giveBack = (error?: Error) => {
      if (!this.#taken.delete(connection)) return
      client.release(error)
      if (this.#taken.size === 0) this.#onReturned?.()
    }
    connection.belongTo({
      onIdle: () =>
        giveBack(connection.retired ?? (connection.isInTransaction ? new Error('left in a transaction') : undefined)),
      onLost: (_, error) => giveBack(error),
    })
    this.#known.set(client, connection)
    return connection
  }

  /** Their pool may wait for ever; ours do not, and a client that comes too late goes back. */
  #checkOut(signal: AbortSignal | undefined): Promise<ForeignClient> {
    return new Promise((resolve, reject) => {
      let given = false
      const giveUp = (error: Error) => {
        given = true
        end()
        reject(error)
      }
      const cancelTimer = this.#clock.after(this.#acquireTimeout, () => giveUp(this.#exhausted()))
      const onAbort = () => giveUp(cancelled(signal!))
      const end = () => {
        cancelTimer()
        signal?.removeEventListener('abort', onAbort)
      }
      if (signal?.aborted) return onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#pool.connect().then(
        (client) => {
          if (given) return client.release()
          end()
          resolve(client)
        },
        (error: unknown) => giveUp(unavailable(toError(error))),
      )
    })
  }

  #exhausted(): Error {
    const { open, idle, waiting, max } = this.stats()
    const message = `no connection of your pool came free within ${this.#acquireTimeout} ms: ${open - idle} of at most ${max} are in use and ${waiting} callers wait`
    return databaseError('E_DATABASE_TIMEOUT', message, {
      open,
      idle,
      waiting,
      max,
      acquireTimeout: this.#acquireTimeout,
      sent: false,
    })
  }
}

function unavailable(error: Error): Error {
  return databaseError('E_DATABASE_UNAVAILABLE', `your pool could not connect to PostgreSQL: ${error.message}`, {
    cause: error,
    sent: false,
  })
}
