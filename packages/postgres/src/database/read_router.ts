import { type Clock, currentContext, notice, type RequestContext } from '@tailwater/core'
import type { PoolStats } from '../database.ts'
import { hasSqlState } from '../errors.ts'
import type { Queryable, QueryOptions, QueryResult, Statement } from '../queryable.ts'
import type { ConnectionSource } from './connection_source.ts'
import { queryOn } from './patient_query.ts'
import { perform } from './perform.ts'
import type { ConnectionPool } from './pool.ts'
import { StatementRun } from './statement_run.ts'
import type { StatementSite } from './statement_site.ts'

/**
 * Which server a read goes to.
 *
 * Within a request that has written, a read must see what was written. Asking each commit for its position in the log
 * would cost a round trip, so a write leaves only its time (of this process's clock), in a WeakMap by its request. When a read finds a
 * write of its own request, one measurement runs in the background, for all requests at once: the primary's
 * position, then whether the replica has replayed it. If so, everything written before the measurement began is on
 * the replica, and the request's reads may go there. Until then they go to the primary. Nothing waits on this.
 *
 * The primary's position is that of the last record inserted, not flushed, so that commits with synchronous_commit off count too.
 *
 * A read without a request (a script, a job's loop) has written nothing that is known of: it may see the past. So may one after a
 * write through a session.
 */
export class ReadRouter implements Queryable {
  readonly #primary: ConnectionSource
  readonly #site: StatementSite
  readonly #replicas: readonly Replica[]
  readonly #clock: Clock
  readonly #lastWrite = new WeakMap<RequestContext, number>()
  #turn = 0
  #measuring = false
  #measureAgainAt = 0

  constructor(primary: ConnectionSource, site: StatementSite, replicas: readonly Replica[]) {
    this.#primary = primary
    this.#site = site
    this.#replicas = replicas
    this.#clock = site.clock
  }

  async query<Row>(
    statement: string | Statement,
    values?: readonly unknown[],
    options?: QueryOptions,
  ): Promise<QueryResult<Row>> {
    const replica = this.#choose()
    if (replica) {
      try {
        return await queryOn<Row>(
          replica.pool,
          new StatementRun(statement, values, replica.pool),
          options,
          replica.site,
        )
      } catch (error) {
        if (!isTheReplicasFault(error)) throw error
      }
    }
    return queryOn<Row>(this.#primary, new StatementRun(statement, values, this.#primary, true), options, this.#site)
  }

  /** Notes that the running request has written, once `writing` settles: a failure may have written as well. */
  async noteWrite<T>(writing: Promise<T>): Promise<T> {
    const context = currentContext()
    if (!context) return writing
    try {
      return await writing
    } finally {
      this.#lastWrite.set(context, this.#clock.elapsed())
    }
  }

  #choose(): Replica | undefined {
    const context = currentContext()
    const writtenAt = context && this.#lastWrite.get(context)
    for (let i = 0; i < this.#replicas.length; i++) {
      const replica = this.#replicas[(this.#turn + i) % this.#replicas.length]!
      if (!replica.isUsable) continue
      if (writtenAt !== undefined && replica.caughtUpTo <= writtenAt) continue
      this.#turn++
      return replica
    }
    if (writtenAt !== undefined) this.#measureSoon()
    return undefined
  }

  #measureSoon(): void {
    const now = this.#clock.elapsed()
    if (this.#measuring || now < this.#measureAgainAt) return
    this.#measuring = true
    void this.#measure(now).finally(() => {
      this.#measuring = false
      this.#measureAgainAt = this.#clock.elapsed() + MEASURE_EVERY
    })
  }

  async #measure(startedAt: number): Promise<void> {
    try {
      const run = new StatementRun('SELECT pg_current_wal_insert_lsn()::text AS lsn', undefined)
      const { rows } = await perform(this.#primary, run, { timeout: MEASURE_PATIENCE }, this.#site)
      await Promise.all(
        this.#replicas
          .filter((replica) => replica.isReachable)
          .map((replica) => replica.measure(String(rows[0]!['lsn']), startedAt)),
      )
    } catch {
      // Not known to have caught up: reads stay with the primary, and the next of them measures again.
    }
  }
}

/** At most a measurement in this time, and what one may take; milliseconds. */
const MEASURE_EVERY = 10
const MEASURE_PATIENCE = 1_000

/** The replica is away or going, or had to cancel the read in favour of its replay: the primary can answer. */
function isTheReplicasFault(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'E_DATABASE_UNAVAILABLE' || hasSqlState(error, '40001')
}

/** One server that follows the primary. */
export class Replica {
  readonly pool: ConnectionPool
  readonly site: StatementSite
  /** Everything written before this reading of the clock is on it. */
  caughtUpTo = Number.NEGATIVE_INFINITY
  #isStray = false

  constructor(pool: ConnectionPool, site: StatementSite) {
    this.pool = pool
    this.site = site
  }

  /** Its pool has a connection, or has not failed to open one. */
  get isReachable(): boolean {
    return !this.pool.isAway
  }

  get isUsable(): boolean {
    return this.isReachable && !this.#isStray
  }

  async measure(position: string, startedAt: number): Promise<void> {
    const text =
      'SELECT pg_is_in_recovery() AS follows, pg_wal_lsn_diff(pg_last_wal_replay_lsn(), $1::text::pg_lsn) >= 0 AS replayed'
    const { rows } = await perform(
      this.pool,
      new StatementRun(text, [position]),
      { timeout: MEASURE_PATIENCE },
      this.site,
    )
    this.follow(rows[0]!['follows'] === true)
    if (rows[0]!['replayed'] === true) this.caughtUpTo = Math.max(this.caughtUpTo, startedAt)
  }

  /** A server that has been promoted goes its own way: what it holds is no copy any more. */
  follow(follows: boolean): void {
    if (this.#isStray === !follows) return
    this.#isStray = !follows
    if (follows || !notice.hasSubscribers) return
    notice.publish({
      source: 'database',
      level: 'warn',
      message: `${this.site.where} is given as a replica but follows no primary: reads do not go there`,
    })
  }
}

/** The pools of all replicas as one. */
export function sumOfStats(all: readonly PoolStats[]): PoolStats | undefined {
  if (all.length === 0) return undefined
  const sum = (field: keyof PoolStats) => all.reduce((total, stats) => total + stats[field], 0)
  return { open: sum('open'), idle: sum('idle'), waiting: sum('waiting'), min: sum('min'), max: sum('max') }
}
