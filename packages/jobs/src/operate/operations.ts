import { type Duration, duration, optional, optionsError, resolveOptions, value } from '@tailwater/core'
import type { Stored } from '../backend/enqueue_port.ts'
import type { JobCounts, JobFilter } from '../backend/inspect_port.ts'
import type { MaintainPort } from '../backend/maintain_port.ts'
import { jobsError } from '../errors.ts'
import type { Job, JobState, NewJob } from '../job.ts'
import { queueName, type ResolvedKind } from '../kind.ts'
import { isLabel, LABEL } from '../label.ts'
import { isMoment, LONGEST_DELAY, MOMENT, momentIn } from '../moment.ts'
import { type Priority, priorityOf } from '../priority.ts'
import type { JobRequest } from '../request.ts'
import { readFilter, readFilterOfStates } from './job_filter.ts'

/** Jobs that are dealt with in one step of the store. */
const BITE = 500

/** What can be changed of a job that does not run. */
export interface JobChange {
  payload?: unknown
  priority?: Priority
  runAt?: Date | number
  queue?: string
}

/** What operators do with jobs. */
export interface Operations {
  /**
   * Stores a job of any kind. One that this process defines gets what its definition says; the payload of any other is stored as it is, for the process that knows it.
   *
   * @param options.queue where it goes @default the queue of a known kind, else 'default'
   * @throws E_JOB_KIND for what can be no kind, E_JOB_PAYLOAD, E_JOB_PAYLOAD_SIZE, E_JOB_UNIQUE, E_OPTIONS
   */
  add(request: JobRequest, options?: { queue?: string }): Promise<Stored>
  /** Ends a job that does not run, and all below it; asks one that runs to stop. False when it has ended, or does not exist. */
  cancel(id: string): Promise<boolean>
  /** Makes a dead, cancelled, scheduled or retryable job available now; false if it is in none of these states. */
  retry(id: string): Promise<boolean>
  /** Retries all that a filter means: dead ones unless it names other states. How many; no more than there were at first, so that jobs that fail at once are not retried for ever. @throws E_OPTIONS */
  redrive(filter?: JobFilter, options?: { to?: string }): Promise<number>
  /** Changes a job that does not run. A payload is checked and written as its kind demands. @throws E_JOB_KIND_UNKNOWN, E_JOB_NOT_FOUND, E_JOB_PAYLOAD, E_OPTIONS */
  edit(id: string, change: JobChange): Promise<boolean>
  /** Deletes a job that does not run. */
  remove(id: string): Promise<boolean>
  /** Deletes jobs of these states that ended, or were enqueued, longer ago than `age`. How many. @throws E_OPTIONS */
  clean(filter: JobFilter & { states: readonly JobState[] }, age: Duration): Promise<number>
  /** Deletes all that carries the key; what runs is asked to stop, and is deleted when it is called again. How many jobs it concerned. @throws E_OPTIONS */
  erase(key: string): Promise<number>
}

/** What operations need of the engine. */
export interface OperationsParts {
  port: MaintainPort
  kinds: ReadonlyMap<string, ResolvedKind>
  get(id: string): Promise<Job | undefined>
  counts(queue: string | undefined): Promise<JobCounts>
  wake(queue: string): void
  /** @throws as `add` */
  prepare(request: JobRequest, queue: string | undefined): NewJob | Promise<NewJob>
  store(job: NewJob): Promise<Stored>
}

const anything = () => true
const oldAge = duration({ max: LONGEST_DELAY })

const changeFields = {
  payload: optional(value<unknown>('JSON data', anything)),
  priority: optional(value<Priority>('a priority', anything)),
  runAt: optional(value<Date | number>(MOMENT, isMoment)),
  queue: queueName,
}

/** Builds them on what the store can do. */
export function createOperations({ port, kinds, get, counts, wake, prepare, store }: OperationsParts): Operations {
  async function payloadText(id: string, payload: unknown): Promise<string> {
    const job = await get(id)
    if (!job) throw jobsError('E_JOB_NOT_FOUND', `there is no job ${id}`, { jobId: id })
    const kind = kinds.get(job.kind)
    if (!kind) throw unknownKind(job.kind, kinds)
    return kind.codec.write(payload)
  }

  return {
    add: async (request, { queue } = {}) => store(await prepare(request, queue)),
    cancel: (id) => port.cancel(id),
    async retry(id) {
      const isDone = await port.retry(id)
      const job = isDone ? await get(id) : undefined
      if (job) wake(job.queue)
      return isDone
    },
    async redrive(given = {}, options = {}) {
      const { states = ['dead'] as const, ...rest } = readFilter('jobs.operate.redrive', given)
      const { to } = resolveOptions('jobs.operate.redrive, options', options, { to: queueName })
      const present = await counts(rest.queue)
      const most = states.reduce((sum, state) => sum + present[state], 0)
      return inBites(() => port.redrive({ ...rest, states }, BITE, ...(to === undefined ? [] : [to])), most)
    },
    async edit(id, change) {
      const { payload, priority, runAt, queue } = resolveOptions('jobs.operate.edit', change, changeFields)
      const text = payload === undefined ? undefined : await payloadText(id, payload)
      return port.edit(id, {
        ...(text !== undefined && { payload: text }),
        ...(priority !== undefined && { priority: priorityOf(priority) }),
        ...(runAt !== undefined && { runAt: momentIn(runAt) }),
        ...(queue !== undefined && { queue }),
      })
    },
    remove: (id) => port.remove(id),
    async clean(given, age) {
      const filter = readFilterOfStates('jobs.operate.clean', given)
      const ms = oldAge.parse(age, 'age')
      return inBites(() => port.clean(filter, ms, BITE))
    },
    async erase(key) {
      // Of no key are all jobs that have none.
      if (!isLabel(key)) throw optionsError('the key of jobs.operate.erase', LABEL, key)
      return inBites(() => port.erase(key, BITE))
    },
  }
}

/** Steps that are bounded each, until there is nothing left: no other work waits for the whole of it. */
async function inBites(bite: () => Promise<number>, most = Number.POSITIVE_INFINITY): Promise<number> {
  let all = 0
  while (all < most) {
    const dealtWith = await bite()
    if (dealtWith === 0) break
    all += dealtWith
  }
  return all
}

/** The error of a kind that this process does not define. */
export function unknownKind(kind: string, kinds: ReadonlyMap<string, unknown>) {
  const known = [...kinds.keys()].join(', ') || 'none'
  return jobsError('E_JOB_KIND_UNKNOWN', `this process defines no jobs of kind '${kind}'; known kinds: ${known}`, {
    kind,
  })
}
