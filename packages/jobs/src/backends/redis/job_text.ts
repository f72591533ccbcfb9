import type { ClaimedJob, Job, JobState, NewJob } from '../../job.ts'

/*
 * Jobs as Redis keeps them.
 *
 * The body holds what the enqueuer said and seldom changes, and is written by the enqueuer, so that the server has nothing to do with a job but to put it in
 * its place: priority, maxAttempts, timeout, queue, kind, the rest as a JSON list, payload; each on a line of its own, the payload last, whatever is in it.
 * Scripts read the first four.
 */

/** The rest of a body: key, tags, request, trace, parent, and 1 if it has children. */
type Rest = [
  key?: string | null,
  tags?: readonly string[] | null,
  requestId?: string | null,
  traceparent?: string | null,
  parentId?: string | null,
  hasChildren?: 1,
]

/** Writes a body. @param parentId of a child */
export function bodyOf(job: NewJob, parentId?: string): string {
  const { priority, maxAttempts, timeout, queue, kind, payload } = job
  return `${priority}\n${maxAttempts}\n${timeout ?? ''}\n${queue}\n${kind}\n${restOf(job, parentId)}\n${payload}`
}

function restOf(job: NewJob, parentId: string | undefined): string {
  const { key, tags, requestId, traceparent, children } = job
  if (key === undefined && !tags && requestId === undefined && traceparent === undefined && !parentId && !children)
    return ''
  const rest: Rest = [key ?? null, tags ?? null, requestId ?? null, traceparent ?? null, parentId ?? null]
  if (children && children.length > 0) rest.push(1)
  return JSON.stringify(rest)
}

const NOTHING: Rest = []

/** Splits a body into its six first lines and the payload. */
function partsOf(body: string): string[] {
  const parts: string[] = []
  let from = 0
  for (let line = 0; line < 6; line++) {
    const end = body.indexOf('\n', from)
    parts.push(body.slice(from, end))
    from = end + 1
  }
  parts.push(body.slice(from))
  return parts
}

function read(body: string) {
  const [priority, maxAttempts, timeout, queue, kind, rest, payload] = partsOf(body)
  const [key, tags, requestId, traceparent, parentId, hasChildren] = rest ? (JSON.parse(rest) as Rest) : NOTHING
  return {
    queue: queue!,
    kind: kind!,
    payload: payload!,
    priority: Number(priority),
    maxAttempts: Number(maxAttempts),
    timeout: timeout ? Number(timeout) : undefined,
    key: key ?? undefined,
    tags: tags ?? [],
    requestId: requestId ?? undefined,
    traceparent: traceparent ?? undefined,
    parentId: parentId ?? undefined,
    hasChildren: hasChildren === 1,
  }
}

/** A job for its worker. */
export function claimedOf(id: string, body: string, attempt: number, waited: number): ClaimedJob {
  const { tags, parentId, ...job } = read(body)
  return { id, ...job, attempt, waited }
}

/** What a script tells of a job that it has buried. */
export type BuriedJob = readonly [id: string, body: string, attempt: string]

/** Likewise for whoever tells of its end. */
export const buriedOf = ([id, body, attempt]: BuriedJob): ClaimedJob => claimedOf(id, body, Number(attempt), 0)

/** What a script tells of a job (lua/reading.ts). */
export type JobRecord = readonly [
  id: string,
  enqueuedAt: string,
  state: JobState,
  score: string,
  body: string,
  more: string,
  waits: string,
  progress: string,
  worker: string,
  held: string,
]

/** A job for whoever looks at it. */
export function jobOf(record: JobRecord): Job {
  const [id, enqueued, state, score, body, moreText, waits, progress, worker, held] = record
  const { hasChildren, ...job } = read(body)
  const more = moreOf(moreText)
  const [attempt, startedAt] = held ? held.split(':', 2) : [more.attempt, more.startedAt]
  const enqueuedAt = Number(enqueued)
  const isDue = state === 'scheduled' || state === 'retryable'
  const isFinal = state === 'completed' || state === 'cancelled' || state === 'dead'
  return {
    id,
    ...job,
    state,
    attempt: Number(attempt),
    crashes: Number(more.crashes),
    pendingChildren: Number(waits),
    enqueuedAt,
    runAt: isDue ? Math.floor(Number(score) / 256) : more.runAt ? Number(more.runAt) : enqueuedAt,
    startedAt: startedAt ? Number(startedAt) : undefined,
    finishedAt: isFinal ? Number(score) : undefined,
    worker: worker || undefined,
    progress: progress || undefined,
    result: more.result || undefined,
    error: more.error || undefined,
  }
}

/** What has happened to a job: attempt, crashes, begin of the last attempt, when it was due, error and result. */
function moreOf(text: string) {
  if (!text) return { attempt: '0', crashes: '0', startedAt: '', runAt: '', error: '', result: '' }
  const end = text.indexOf('\n')
  const [attempt, crashes, startedAt, runAt, size] = text.slice(0, end).split(':')
  // The scripts count bytes.
  const rest = Buffer.from(text.slice(end + 1))
  const error = rest.subarray(0, Number(size)).toString()
  const result = rest.subarray(Number(size)).toString()
  return { attempt, crashes, startedAt, runAt, error, result }
}
