import type { Database } from '@tailwater/postgres'
import type { BenchOptions } from '../../harness/bench.ts'
import type { Boss } from './boss_queue.ts'
import type { Graphile } from './graphile_queue.ts'

/** What is up while jobs on PostgreSQL are measured. */
export interface PostgresStage {
  url: string
  database: Database
  boss: Boss
  graphile: Graphile
  options: BenchOptions
}

/** A queue of either side, as the rows use it. */
export interface BenchQueue {
  enqueueSingly(count: number, callers: number): Promise<number>
  enqueueInBulk(count: number, size: number): Promise<number>
  /** Jobs in a second, from a filled queue to the confirmation of the last one. */
  process(count: number): Promise<number>
  close(): Promise<unknown>
}

/** What result files say of the sides. */
export const SETTINGS = {
  ours: 'createJobs on createPostgresBackend, concurrency 1,000, no prefetch, completed ones kept; PostgreSQL 18, fsync and synchronous_commit on',
  deleting: 'the same with retention.completed.count 0',
  boss: 'work with batchSize 1000, localConcurrency 2, burstWhenBatchFull, completed ones kept; the same PostgreSQL',
  graphile:
    'concurrency 24, localQueue of 500, completeJobBatchDelay 0, completed ones deleted, as it always does; the same PostgreSQL',
}

/** Shortens a number of jobs for trying things out. */
export const sized = (stage: PostgresStage, count: number) => (stage.options.quick ? Math.ceil(count / 10) : count)

/** Waits until a statement says that nothing is left. */
export async function untilNone(database: Database, text: string): Promise<void> {
  for (;;) {
    const { rows } = await database.query<{ left: number }>(text)
    if (rows[0]!.left === 0) return
  }
}

let schemas = 0

/** A schema's name that no round has had. */
export const freshSchema = (prefix: string) => `${prefix}_${++schemas}`
