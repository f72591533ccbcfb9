import {
  currentContext,
  type Duration,
  duration,
  type Fields,
  integer,
  newId,
  optional,
  optionsError,
  resolveOptions,
  value,
} from '@tailwater/core'
import { jobsError } from './errors.ts'
import type { NewJob } from './job.ts'
import type { ResolvedKind } from './kind.ts'
import { areLabels, isLabel, LABEL, LABELS } from './label.ts'
import { isMoment, LONGEST_DELAY, MOMENT, momentIn } from './moment.ts'
import { type Priority, priorityOf } from './priority.ts'
import { timeLimit } from './time_limit.ts'
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
  delay: optional(duration({ max: LONGEST_DELAY })),
  runAt: optional(value<Date | number>(MOMENT, isMoment)),
  priority: optional(value<Priority>('a priority', () => true)),
  key: optional(value<string>(LABEL, isLabel)),
  unique: optional(value<Unique>('how jobs are unique', () => true)),
  tags: optional(value<readonly string[]>(LABELS, areLabels)),
  attempts: optional(integer({ min: 1, max: 1_000 })),
  timeout: timeLimit,
} satisfies Fields

/**
 * Checks that a request is one, and says nothing that would be passed over: options under another name, for one.
 *
 * @throws E_OPTIONS
 */
export function checkRequest(request: JobRequest): JobRequest {
  if (typeof request !== 'object' || request === null)
    throw optionsError('a job', 'an object of kind, payload and options', request)
  const { options } = request
  if (options !== undefined && (typeof options !== 'object' || options === null))
    throw optionsError('options of a job', 'an object of options', options)
  for (const name in request) if (!REQUEST.has(name)) resolveOptions('a job', { [name]: 0 }, requestFields)
  return request
}

const anything = () => true
const requestFields = {
  kind: optional(value<string>('a kind', anything)),
  payload: optional(value<unknown>('JSON data', anything)),
  options: optional(value<JobOptions>('options', anything)),
} satisfies Fields
const REQUEST = new Set(Object.keys(requestFields))

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
  if (options !== NOTHING) apply(kind, job, options)
  const text = kind.codec.write(payload)
  if (text instanceof Promise) return text.then((written) => finished(kind, job, payload, written, options))
  return finished(kind, job, payload, text, options)
}

function keyOf({ kind, key }: ResolvedKind, payload: unknown): string | undefined {
  try {
    return key?.(payload as never)
  } catch (cause) {
    throw jobsError('E_JOB_PAYLOAD', `the payload of '${kind}' is one of which its key cannot be made`, { kind, cause })
  }
}

function checkedKey({ kind }: ResolvedKind, key: unknown): string {
  if (isLabel(key)) return key
  throw optionsError(`the key of a job of kind '${kind}'`, LABEL, key)
}

function apply({ kind }: ResolvedKind, job: NewJob, options: JobOptions): void {
  const path = `options of a job of kind '${kind}'`
  const { delay, runAt, priority, tags, attempts, timeout } = resolveOptions(path, options, fields)
  if (delay !== undefined) job.delay = delay
  if (runAt !== undefined) job.runAt = momentIn(runAt)
  if (priority !== undefined) job.priority = priorityOf(priority, `${path}.priority`)
  if (tags) job.tags = [...(job.tags ?? []), ...tags]
  if (attempts !== undefined) job.maxAttempts = attempts
  if (timeout !== undefined) job.timeout = timeout
}

/** Keys last, because they may be made of a payload that only now is known to be JSON, and what the schema demands. */
function finished(kind: ResolvedKind, job: NewJob, payload: unknown, text: string, options: JobOptions): NewJob {
  job.payload = text
  const key = options.key ?? keyOf(kind, payload)
  if (key !== undefined) job.key = checkedKey(kind, key)
  const unique = options.unique ? resolveUnique(options.unique, 'unique') : kind.unique
  if (unique) job.unique = uniqueOf(unique, { kind: kind.kind, payload, key: job.key })
  return job
}
