import { eventChannel } from '../channel.ts'

/** Jobs stored. */
export interface JobEnqueuedEvent {
  /** Of the enqueuer's context. */
  requestId: string | undefined
  kind: string
  queue?: string
  jobId: string
  /** Of the enqueuer's context. */
  traceparent?: string | undefined
}

/** Every stored job; inside a transaction, before its commit. A duplicate is not stored. */
export const jobEnqueued = eventChannel<JobEnqueuedEvent>('tailwater:jobs:enqueued')

/** One finished attempt. */
export interface JobAttemptEvent {
  /** Of the context in which the job was enqueued, so that one id runs through. */
  requestId: string | undefined
  kind: string
  queue?: string
  jobId: string
  attempt: number
  outcome: 'completed' | 'retryable' | 'dead' | 'cancelled' | 'snoozed'
  /** Milliseconds from being available to the start of this attempt, by the store's clock. */
  waitMs: number
  /** Milliseconds of the handler. */
  ms: number
  error: Error | undefined
  /** Of the enqueuer's context. */
  traceparent?: string | undefined
}

/** Every finished attempt, when the store has accepted its end. */
export const jobAttempt = eventChannel<JobAttemptEvent>('tailwater:jobs:attempt')

/** One round trip of a worker: ends told, jobs claimed. */
export interface JobTurnEvent {
  worker: string
  /** Milliseconds until the store's answer. */
  ms: number
  /** Ends that were told. */
  ended: number
  claimed: number
  /** Ends that were refused, because the worker had lost the job. */
  refused: number
  /** Set when there was no answer. */
  error: Error | undefined
}

/** Every turn. */
export const jobTurn = eventChannel<JobTurnEvent>('tailwater:jobs:turn')

/** An occurrence of a schedule. */
export interface JobScheduleEvent {
  schedule: string
  /** The planned moment, in milliseconds since the Unix epoch. */
  at: number
  /** Of the job that it became; undefined when the occurrence was missed and left out. */
  jobId: string | undefined
}

/** Every occurrence that this process fired or left out. */
export const jobSchedule = eventChannel<JobScheduleEvent>('tailwater:jobs:schedule')
