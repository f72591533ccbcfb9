import { eventChannel } from '../channel.ts'

/** Jobs stored. */
export interface JobEnqueuedEvent {
  /** Of the enqueuer's context. */
  requestId: string | undefined
  kind: string
  jobId: string
}

/** Every stored job; inside a transaction, before its commit. */
export const jobEnqueued = eventChannel<JobEnqueuedEvent>('tailwater:jobs:enqueued')

/** One finished attempt. */
export interface JobAttemptEvent {
  /** Of the context in which the job was enqueued, so that one id runs through. */
  requestId: string | undefined
  kind: string
  jobId: string
  attempt: number
  outcome: 'completed' | 'retryable' | 'dead' | 'cancelled'
  /** Milliseconds from being available to the start of this attempt, by the store's clock. */
  waitMs: number
  /** Milliseconds of the handler. */
  ms: number
  error: Error | undefined
}

/** Every finished attempt. */
export const jobAttempt = eventChannel<JobAttemptEvent>('tailwater:jobs:attempt')
