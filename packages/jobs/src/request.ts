import {
  currentContext,
  type Duration,
  duration,
  type Fields,
  integer,
  newId,
  optional,
  optionsError,
  parseDuration,
  resolveOptions,
  value,
} from '@tailwater/core'
import type { NewJob } from './job.ts'
import type { ResolvedKind } from './kind.ts'
import { type Priority, priorityOf } from './priority.ts'
import { resolveUnique, type Unique, uniqueOf } from './unique.ts'

/** What one job may say differently from its kind. */
export interface JobOptions {
  /** How long it waits before it is due. */
  delay?: Duration
  /** When it is due: a moment, as a date or in milliseconds since the Unix epoch. */
  runAt?: Date | number
  priority?: Priority
  key?: string
  unique?: Unique
  tags?: readonly string[]
  attempts?: number
  timeout?: Duration
}

/** A job that can be enqueued, alone, with others, or as part of a flow: plain data. */
export interface JobRequest<Payload = unknown> {
  readonly kind: string
  readonly payload: Payload
  readonly options?: JobOptions
}

const fields = {
  delay: optional(duration()),
  runAt: optional(value<Date | number>('a date, or milliseconds since the Unix epoch', isMoment)),
  priority: optional(value<Priority>('a priority', () => true)),
  key: optional(value<string>('a text of at most 255 characters', isKey)),
  unique: optional(value<Unique>('how jobs are unique', () => true)),
  tags: optional(value<readonly string[]>('an array of texts', Array.isArray)),
  attempts: optional(integer({ min: 1, max: 1_000 })),
  timeout: optional(duration({ min: 1 })),
} satisfies Fields

function isMoment(given: unknown): boolean {
  return Number.isFinite(given instanceof Date ? given.getTime() : given)
}

function isKey(given: unknown): boolean {
  return typeof given === 'string' && given.length > 0 && given.length <= 255
}

const NOTHING: JobOptions = {}

/**
 * The job as a store gets it, with the request's context that surrounds the call.
 *
 * Answers at once unless the kind's schema is asynchronous, so that jobs enqueued in one tick go together.
 *
 * @throws E_OPTIONS, E_JOB_PAYLOAD, E_JOB_PAYLOAD_SIZE, E_JOB_UNIQUE
 */
export function newJobOf(
  kind: ResolvedKind,
  payload: unknown,
  options: JobOptions = NOTHING,
): NewJob | Promise<NewJob> {
  const context = currentContext()
  const job: NewJob = {
    id: newId(),
    queue: kind.queue,
    kind: kind.kind,
    payload: '',
    priority: kind.priority,
    maxAttempts: kind.attempts,
  }
  if (kind.timeout !== undefined) job.timeout = kind.timeout
  if (kind.tags) job.tags = kind.tags
  if (context) {
    job.requestId = context.requestId
    if (context.traceparent !== undefined) job.traceparent = context.traceparent
  }
  const key = options.key ?? kind.key?.(payload as never)
  if (key !== undefined) job.key = checkedKey(kind, key)
  if (options !== NOTHING) apply(kind, job, options)
  const text = kind.codec.write(payload)
  if (text instanceof Promise) return text.then((written) => finished(kind, job, payload, written, options))
  return finished(kind, job, payload, text, options)
}

function checkedKey({ kind }: ResolvedKind, key: unknown): string {
  if (isKey(key)) return key as string
  throw optionsError(`the key of a job of kind '${kind}'`, 'a text of at most 255 characters', key)
}

function apply({ kind }: ResolvedKind, job: NewJob, options: JobOptions): void {
  const path = `options of a job of kind '${kind}'`
  const { delay, runAt, priority, tags, attempts, timeout } = resolveOptions(path, options, fields)
  if (delay !== undefined) job.delay = delay
  if (runAt !== undefined) job.runAt = Number(runAt)
  if (priority !== undefined) job.priority = priorityOf(priority, `${path}.priority`)
  if (tags) job.tags = [...(job.tags ?? []), ...tags]
  if (attempts !== undefined) job.maxAttempts = attempts
  if (timeout !== undefined) job.timeout = parseDuration(timeout)
}

/** The unique key last, because it may be made of a payload that is only now known to be JSON. */
function finished(kind: ResolvedKind, job: NewJob, payload: unknown, text: string, options: JobOptions): NewJob {
  job.payload = text
  const unique = options.unique ? resolveUnique(options.unique, 'unique') : kind.unique
  if (unique) job.unique = uniqueOf(unique, { kind: kind.kind, payload, key: job.key })
  return job
}
