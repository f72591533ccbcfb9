import {
  type Clock,
  type Duration,
  duration,
  integer,
  optional,
  resolveOptions,
  systemClock,
  text,
  value,
} from '@tailwater/core'
import type { Database } from '@tailwater/postgres'

/** How the engine is built. */
export interface JobsOptions {
  database: Database
  /** Schema that holds the engine's tables. @default 'tailwater' */
  schema?: string
  /** Handlers running at once in this process. @default 10 */
  concurrency?: number
  /** How often to look for due jobs when nothing wakes the worker. @default '1s' */
  pollInterval?: Duration
  /** How long a claimed job is taken for running without a sign of life; a dead worker's jobs run again after it. @default '30s' */
  lease?: Duration
  /** Attempts of a job before it is dead. @default 5 */
  maxAttempts?: number
  /** How long completed jobs are kept. @default '7d' */
  retention?: Duration
  /** @default systemClock */
  clock?: Clock
  /** Names this worker in the table. @default the process identity */
  owner?: string
}

/** @throws E_OPTIONS */
export function resolveJobsOptions(options: JobsOptions) {
  return resolveOptions('createJobs', options, {
    database: value<Database>('a Database', (given) => typeof (given as Database)?.transaction === 'function'),
    schema: text({ default: 'tailwater' }),
    concurrency: integer({ min: 1, max: 1_000, default: 10 }),
    pollInterval: duration({ min: 10, default: '1s' }),
    lease: duration({ min: 1_000, default: '30s' }),
    maxAttempts: integer({ min: 1, max: 1_000, default: 5 }),
    retention: duration({ min: 1_000, default: '7d' }),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock)?.after === 'function', { default: systemClock }),
    owner: optional(text()),
  })
}

/** Options with every default filled in; durations in milliseconds. */
export type ResolvedJobsOptions = ReturnType<typeof resolveJobsOptions>
