import type { Duration, JobContext } from '@tailwater/core'
import type { JobState } from '../job.ts'
import type { Snooze } from './snooze.ts'

/** How a child of a job ended. */
export interface ChildResult<Result = unknown> {
  id: string
  kind: string
  state: JobState
  /** Of a completed one. */
  result: Result | undefined
  /** Of a dead or cancelled one. */
  error: string | undefined
}

/**
 * A job as its handler sees it.
 *
 * `signal` aborts when the job is cancelled or times out, when its process stops, and when its lease was lost; its reason is an error that says which
 * (E_JOB_CANCELLED, E_JOB_TIMEOUT, E_JOB_STOPPING, E_JOB_LEASE_LOST).
 */
export interface RunningJob<Payload> extends JobContext<Payload> {
  readonly queue: string
  readonly key: string | undefined
  readonly maxAttempts: number
  readonly requestId: string | undefined
  /** Tells how far it is, from 0 to 100 or as JSON data; kept with the job, a few times a second at most. */
  progress(value: unknown): void
  /** Adds a line to the job's log; the newest 1,000 are kept. */
  log(line: string): void
  /** How the job's children ended; empty for a job without. */
  children<Result = unknown>(): Promise<ChildResult<Result>[]>
  /** What to return to have the job back after a while, without the attempt counting. @throws E_OPTIONS */
  snooze(delay: Duration): Snooze
}
