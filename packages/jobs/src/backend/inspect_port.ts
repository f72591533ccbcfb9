import type { Percentiles } from '../histogram.ts'
import type { Job, JobState } from '../job.ts'

/** Which jobs. Conditions hold together; an empty filter is all jobs. */
export interface JobFilter {
  queue?: string
  kind?: string
  states?: readonly JobState[]
  /** The job's `key`. */
  key?: string
  tag?: string
  /** Text that the payload's JSON contains; looked for in at most 10,000 jobs of the other conditions. */
  text?: string
  /** Moments of being enqueued. */
  from?: number
  to?: number
}

/** A page of jobs, newest first. */
export interface JobPage {
  jobs: Job[]
  /** Where the next page begins; undefined at the end. Opaque. */
  next: string | undefined
}

/** How many jobs are in each state. */
export type JobCounts = Record<JobState, number>

/** How a queue does. Durations in milliseconds. */
export interface QueueStats {
  queue: string
  paused: boolean
  counts: JobCounts
  /** How long the job that is next in turn has been available; undefined when none is. */
  oldestAvailable: number | undefined
  /** How long jobs whose attempts ended in the last hour had been available before they were claimed; undefined when none did. Workers tell every few seconds. */
  wait: Percentiles | undefined
  /** How long their handlers took. */
  run: Percentiles | undefined
  /** Finished attempts of the last full minutes, at most 60, oldest first; minutes without any may be left out. */
  minutes: readonly { at: number; completed: number; failed: number }[]
}

/** What can be seen. Reading never changes a job. */
export interface InspectPort {
  get(id: string): Promise<Job | undefined>
  /** Results of a job's children by id, those completed; errors of the others. */
  children(id: string): Promise<Job[]>
  logs(id: string): Promise<string[]>
  list(filter: JobFilter, page: { cursor?: string; limit: number }): Promise<JobPage>
  counts(queue?: string): Promise<JobCounts>
  /** Names of the queues that hold jobs or were ever configured, sorted. */
  queues(): Promise<string[]>
  stats(queue: string): Promise<QueueStats>
}
