import type { PoolStats } from '../database.ts'
import type { Connection } from './connection.ts'
import type { StatementRun } from './statement_run.ts'

/** Where connections come from: a pool of our own, or the user's. */
export interface ConnectionSource {
  /** Runs a statement by itself, on whichever connection comes free first. */
  run(run: StatementRun): void
  /** A connection held until `release`. */
  acquire(signal?: AbortSignal): Promise<Connection>
  release(connection: Connection): void
  stats(): PoolStats
  start(): Promise<void>
  stop(deadline: number): Promise<void>
}
