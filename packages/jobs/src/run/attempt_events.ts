import { type JobAttemptEvent, jobAttempt } from '@tailwater/core'
import { jobsError } from '../errors.ts'
import type { ClaimedJob, JobEnd } from '../job.ts'

/** The end of an attempt, with what is told of it once the store has accepted it. */
export interface Ended {
  end: JobEnd
  job: ClaimedJob
  /** Milliseconds of the handler. */
  ms: number
  error: Error | undefined
}

/** Publishes the ends that were accepted. */
export function publishEnded(ended: readonly Ended[], refused: readonly string[]): void {
  if (!jobAttempt.hasSubscribers) return
  for (const { end, job, ms, error } of ended)
    if (!refused.includes(end.id)) publish(job, { outcome: outcomeOf(end, job), ms, error })
}

/** Publishes that jobs are dead because they killed their workers. */
export function publishBuried(jobs: readonly ClaimedJob[]): void {
  if (!jobAttempt.hasSubscribers) return
  for (const job of jobs) {
    const error = jobsError('E_JOB_POISON', 'its worker died too often, or in its last attempt')
    publish(job, { outcome: 'dead', ms: 0, error })
  }
}

function publish(job: ClaimedJob, end: Pick<JobAttemptEvent, 'outcome' | 'ms' | 'error'>): void {
  const { kind, queue, id: jobId, attempt, waited: waitMs, traceparent } = job
  // A job enqueued outside of a request has an id of its own to be found by.
  jobAttempt.publish({ requestId: job.requestId ?? jobId, kind, queue, jobId, attempt, waitMs, traceparent, ...end })
}

function outcomeOf({ outcome }: JobEnd, { attempt, maxAttempts }: ClaimedJob): JobAttemptEvent['outcome'] {
  if (outcome !== 'failed') return outcome
  return attempt >= maxAttempts ? 'dead' : 'retryable'
}
