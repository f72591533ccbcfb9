import type { ClaimedJob, Job, JobState, NewJob } from '../../job.ts'

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** A place in a queue's order; emptied when its job leaves it. */
export interface Place {
  priority: number
  /** Turn of the job's key in a fair queue; 0 without turns. */
  turn: number
  /** When it became available; negative for what was given back, which stands first. */
  since: number
  /** Breaks ties: the order of arrival. */
  arrival: number
  record: JobRecord | undefined
}

/** A job and what only the store knows of it. */
export interface JobRecord extends Mutable<Job> {
  unique: { key: string; until: number | undefined } | undefined
  onChildFailure: 'fail' | 'ignore'
  childIds: string[]
  /** Begin of its wait for a worker. */
  availableSince: number
  isCancelAsked: boolean
  logs: string[]
  /** Where it waits for a worker or for its time. */
  place: Place | undefined
}

/** @param now the store's present moment */
export function recordOf(job: NewJob, parentId: string | undefined, now: number): JobRecord {
  return {
    id: job.id,
    queue: job.queue,
    kind: job.kind,
    state: 'pending',
    payload: job.payload,
    priority: job.priority,
    key: job.key,
    tags: [...(job.tags ?? [])],
    attempt: 0,
    maxAttempts: job.maxAttempts,
    crashes: 0,
    timeout: job.timeout,
    requestId: job.requestId,
    traceparent: job.traceparent,
    parentId,
    pendingChildren: job.children?.length ?? 0,
    enqueuedAt: now,
    runAt: dueTime(job, now),
    startedAt: undefined,
    finishedAt: undefined,
    worker: undefined,
    progress: undefined,
    result: undefined,
    error: undefined,
    unique: undefined,
    onChildFailure: job.onChildFailure ?? 'fail',
    childIds: (job.children ?? []).map((child) => child.id),
    availableSince: now,
    isCancelAsked: false,
    logs: [],
    place: undefined,
  }
}

/** When a job that is told now is due: never before now. */
export function dueTime({ delay = 0, runAt = 0 }: { delay?: number; runAt?: number }, now: number): number {
  return Math.max(now + delay, runAt)
}

/** The job as readers see it. */
export function jobOf(record: JobRecord): Job {
  const { unique, onChildFailure, childIds, availableSince, isCancelAsked, logs, place, ...job } = record
  return { ...job, tags: [...job.tags] }
}

/** The job as its worker sees it. */
export function claimedOf(record: JobRecord): ClaimedJob {
  const { id, queue, kind, payload, priority, key, attempt, maxAttempts, timeout, requestId, traceparent } = record
  const waited = (record.startedAt ?? record.availableSince) - record.availableSince
  const hasChildren = record.childIds.length > 0
  return {
    id,
    queue,
    kind,
    payload,
    priority,
    key,
    attempt,
    maxAttempts,
    timeout,
    requestId,
    traceparent,
    waited,
    hasChildren,
  }
}

/** Whether a job in this state has ended. */
export function isFinal(state: JobState): state is 'completed' | 'cancelled' | 'dead' {
  return state === 'completed' || state === 'cancelled' || state === 'dead'
}
