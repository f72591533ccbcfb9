import type { ClaimedJob, Job } from '../../job.ts'

const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`

const SHARED = `id::text, queue, kind, state::text, payload, priority, key, tags, attempt, max_attempts AS "maxAttempts", crashes, timeout,
    request_id AS "requestId", traceparent, parent_id::text AS "parentId", ${ms('enqueued_at')} AS "enqueuedAt", ${ms('run_at')} AS "runAt",
    ${ms('started_at')} AS "startedAt", progress, error`

/** Columns of a job for readers, of `jobs_live`; those of `jobs_ended` match. Children that have not ended are counted by jobs_live_children. */
export const liveColumns = (schema: string) =>
  `${SHARED}, NULL::float8 AS "finishedAt", worker, NULL::text AS result, ${pending(schema, 'jobs_live')}`

/** The same of `jobs_ended`. */
export const endedColumns = (schema: string) =>
  `${SHARED}, ${ms('finished_at')} AS "finishedAt", NULL::text AS worker, result, ${pending(schema, 'jobs_ended')}`

const pending = (schema: string, table: string) => `CASE WHEN has_children
    THEN (SELECT count(*) FROM ${schema}.jobs_live AS child WHERE child.parent_id = ${table}.id) ELSE 0 END::integer AS "pendingChildren"`

/** A row of either. */
export type JobRow = {
  [Name in keyof Job]: undefined extends Job[Name] ? Exclude<Job[Name], undefined> | null : Job[Name]
}

/** The job as readers see it: what is NULL is undefined. */
export function jobOf({ id, queue, kind, state, payload, priority, ...row }: JobRow): Job {
  return {
    id,
    queue,
    kind,
    state,
    payload,
    priority,
    key: row.key ?? undefined,
    tags: row.tags ?? [],
    attempt: row.attempt,
    maxAttempts: row.maxAttempts,
    crashes: row.crashes,
    timeout: row.timeout ?? undefined,
    requestId: row.requestId ?? undefined,
    traceparent: row.traceparent ?? undefined,
    parentId: row.parentId ?? undefined,
    pendingChildren: row.pendingChildren,
    enqueuedAt: row.enqueuedAt,
    runAt: row.runAt,
    startedAt: row.startedAt ?? undefined,
    finishedAt: row.finishedAt ?? undefined,
    worker: row.worker ?? undefined,
    progress: row.progress ?? undefined,
    result: row.result ?? undefined,
    error: row.error ?? undefined,
  }
}

/** A job as a worker gets it. */
export interface GivenRow {
  id: string
  queue: string
  kind: string
  payload: string
  priority: number
  key: string | null
  attempt: number
  max_attempts: number
  timeout: number | null
  request_id: string | null
  traceparent: string | null
  waited: number
  has_children: boolean
}

/** Columns of a job that ended without its worker, which had begun it. */
export const givenColumns = `id::text, queue, kind, payload, priority, key, attempt, max_attempts, timeout, request_id, traceparent,
  (extract(epoch FROM greatest(started_at - run_at, interval '0')) * 1000)::float8 AS waited, has_children`

/** The job as its worker sees it. */
export function claimedOf(row: GivenRow): ClaimedJob {
  return {
    id: row.id,
    queue: row.queue,
    kind: row.kind,
    payload: row.payload,
    priority: row.priority,
    key: row.key ?? undefined,
    attempt: row.attempt,
    maxAttempts: row.max_attempts,
    timeout: row.timeout ?? undefined,
    requestId: row.request_id ?? undefined,
    traceparent: row.traceparent ?? undefined,
    // To the microsecond, which is what the server knows; sums of binary fractions show more.
    waited: Math.round(row.waited * 1_000) / 1_000,
    hasChildren: row.has_children,
  }
}
