import { createService, type JobRunner, notice, type Service, startAll, stopAll } from '@tailwater/core'
import type { SqlExecutor } from '@tailwater/postgres'
import type { Stored } from './backend/enqueue_port.ts'
import type { JobCounts } from './backend/inspect_port.ts'
import { callOf, createEnqueuer, type JobTransaction, transactionOf } from './enqueue/enqueuer.ts'
import { preparers } from './enqueue/preparers.ts'
import { jobsError } from './errors.ts'
import { type Flow, newFlow } from './flow.ts'
import type { NewJob } from './job.ts'
import {
  checkedQueue,
  followQueue,
  foreignKind,
  type KindDefaults,
  type KindDefinition,
  type ResolvedKind,
  resolveKind,
} from './kind.ts'
import type { Kind } from './kind_handle.ts'
import { createInspection, type Inspection } from './operate/inspection.ts'
import { createJobViews } from './operate/job_view.ts'
import { createOperations, type Operations, unknownKind } from './operate/operations.ts'
import { createQueue, type Queue } from './operate/queue.ts'
import { type JobsOptions, type ResolvedJobsOptions, resolveJobsOptions } from './options.ts'
import { createEncryption } from './payload/encryption.ts'
import type { QueueOptions } from './queue_options.ts'
import { checkRequest, type JobOptions, type JobRequest, newJobOf } from './request.ts'
import { childrenReader } from './run/children.ts'
import { createWorker } from './run/worker.ts'
import { workers } from './run/workers.ts'
import type { ScheduleDefinition, StoredDefinition } from './schedule/definition.ts'
import { createScheduler } from './schedule/scheduler.ts'
import { createSchedules, type Schedules } from './schedule/schedules.ts'

/** Jobs of one store: kinds are defined, jobs enqueued, and between `start` and `stop` run here. */
export interface Jobs extends JobRunner<SqlExecutor>, Service {
  /** Says how a kind of job is run. @throws E_JOB_KIND, E_JOB_QUEUE_UNKNOWN, E_OPTIONS */
  define<Payload, Input = Payload, Result = unknown>(definition: KindDefinition<Payload, Input, Result>): Kind<Input>
  /** Stores one job of a kind that this process defines. @throws E_JOB_KIND_UNKNOWN, and what `Kind.enqueue` throws */
  enqueue(request: JobRequest, options?: { tx?: JobTransaction }): Promise<Stored>
  /** Stores jobs of any kinds, in batches. Inside a transaction all or none; otherwise each batch is stored or fails on its own. */
  enqueueMany(requests: readonly JobRequest[], options?: { tx?: JobTransaction }): Promise<Stored[]>
  /** Stores a tree of jobs at once: those below run first. Resolves to what became of the topmost. @throws E_JOB_FLOW */
  flow(flow: Flow | JobRequest, options?: { tx?: JobTransaction }): Promise<Stored>
  /** Enqueues a job at the moments of a rule. Every process may say it; with a changed definition the last one holds. @throws E_JOB_SCHEDULE, and what enqueueing throws */
  schedule(name: string, definition: ScheduleDefinition): Promise<void>
  readonly schedules: Schedules
  /**
   * Changes a queue while the engine runs. What is not named is as `createJobs` was told, so that `{}` takes earlier changes back.
   *
   * Concurrency is that of this process; one that began with 0 goes on to enqueue alone. Limits and retention hold for all processes, as at a start. Attempts and timeout
   * are those of jobs enqueued from here on, backoff that of attempts that fail from here on.
   *
   * @throws E_JOB_QUEUE_UNKNOWN, E_OPTIONS
   */
  configure(queue: string, change: QueueOptions): Promise<void>
  /** One queue, whether or not this process knows it. @throws E_OPTIONS for what can be no queue's name */
  queue(name: string): Queue
  readonly inspect: Inspection
  readonly operate: Operations
  /** How many jobs are in each state. */
  counts(queue?: string): Promise<JobCounts>
}

/**
 * Builds the engine on a backend.
 *
 * Each job runs at least once: a worker that dies is noticed when its lease ends, and the job runs again, so handlers must bear repetition.
 *
 * @throws E_OPTIONS
 * @example
 * const jobs = createJobs({ database, queues: { email: { concurrency: 5 } } })
 * const receipt = jobs.define<{ orderId: number }>({ kind: 'receipt', queue: 'email', run: async ({ payload }) => send(payload.orderId) })
 * await jobs.start()
 * await receipt.enqueue({ orderId: 1 }, { priority: 'high' })
 */
export function createJobs(given: JobsOptions = {}): Jobs {
  const options = resolveJobsOptions(given)
  const { backend, clock, pollInterval } = options
  const kinds = new Map<string, ResolvedKind>()
  const definitions = new Map<string, StoredDefinition>()
  const worker = createWorker({ options, kinds, children: childrenReader(backend.inspect, kinds) })
  const enqueuer = createEnqueuer(backend.jobs, worker.wake)
  const operations = createOperations({
    port: backend.maintain,
    kinds,
    get: (id) => backend.inspect.get(id),
    counts: (queue) => backend.inspect.counts(queue),
    wake: worker.wake,
    prepare: (request, queue) => prepareAny(request, queue),
    store: (job) => enqueuer.one(job),
  })
  const defaults = kindDefaults(options)
  let isStarted = false

  function kindOf(kind: string): ResolvedKind {
    const found = kinds.get(kind)
    if (found) return found
    throw unknownKind(kind, kinds)
  }

  function prepareAny(request: JobRequest, queue?: string): NewJob | Promise<NewJob> {
    const { kind, payload, options: said } = checkRequest(request)
    const known = kinds.get(kind) ?? foreignKind(kind, defaults)
    return newJobOf(queue === undefined ? known : { ...known, queue }, payload, said)
  }

  function prepareRequest(request: JobRequest): NewJob | Promise<NewJob> {
    const { kind, payload, options: said } = checkRequest(request)
    return newJobOf(kindOf(kind), payload, said)
  }
  const scheduler = createScheduler(
    // A store that nobody tells of schedules is asked twice as seldom as for jobs.
    { schedules: backend.schedules, clock, interval: 2 * pollInterval },
    worker.wake,
  )
  const schedules = createSchedules({
    port: backend.schedules,
    prepare: prepareRequest,
    prepareAny,
    codecOf: (kind) => kinds.get(kind)?.codec,
    wake: scheduler.wake,
    store: (job) => enqueuer.one(job),
  })
  const starting = createService('jobs-definitions', {
    async start() {
      warnOfMemory(options)
      for (const [name, definition] of definitions) await schedules.put(name, definition)
      isStarted = true
    },
    stop() {
      isStarted = false
    },
  })
  const services = [backend, starting, worker, scheduler]

  const jobs: Jobs = {
    ...createService('jobs', {
      start: () => startAll(services),
      stop: (deadline) => stopAll(services, deadline),
    }),
    define(definition) {
      const kind = resolveKind(definition, defaults)
      if (kinds.has(kind.kind)) throw jobsError('E_JOB_KIND', `jobs of kind '${kind.kind}' are defined already`)
      kinds.set(kind.kind, kind)
      return kindHandle(kind)
    },
    enqueue: async (request, given) => {
      const tx = transactionOf('jobs.enqueue', given)
      return enqueuer.one(await prepareRequest(request), tx)
    },
    enqueueMany: async (requests, given) => {
      const tx = transactionOf('jobs.enqueueMany', given)
      return enqueuer.many(await allOf(requests.map(prepareRequest)), tx)
    },
    flow: async (flow, given) => {
      const tx = transactionOf('jobs.flow', given)
      return enqueuer.one(await newFlow(flow, prepareRequest), tx)
    },
    async schedule(name, definition) {
      const read = await schedules.read(name, definition)
      definitions.set(name, read)
      if (isStarted) await schedules.put(name, read)
    },
    schedules,
    async configure(name, change) {
      const queue = options.queues.change(name, change)
      for (const kind of kinds.values()) if (kind.queue === name) followQueue(kind, queue)
      await worker.configure(queue)
    },
    queue: (name) => createQueue(checkedQueue('jobs.queue', name), backend, operations, worker.wake),
    inspect: createInspection(backend.inspect, createJobViews(kinds, options.redact)),
    operate: operations,
    counts: async (queue) => backend.inspect.counts(queue === undefined ? queue : checkedQueue('jobs.counts', queue)),
  }
  workers.set(jobs, worker)
  preparers.set(jobs, (request, queue) => (queue === undefined ? prepareRequest(request) : prepareAny(request, queue)))
  return jobs

  function kindHandle<Input>(kind: ResolvedKind): Kind<Input> {
    return {
      kind: kind.kind,
      async enqueue(payload, said) {
        const { rest, tx } = callOf<JobOptions>(`options of a job of kind '${kind.kind}'`, said)
        const job = newJobOf(kind, payload, rest)
        return (await enqueuer.one(job instanceof Promise ? await job : job, tx)).id
      },
      async enqueueMany(payloads, said) {
        const { rest, tx } = callOf<JobOptions>(`options of jobs of kind '${kind.kind}'`, said)
        return enqueuer.many(await allOf(payloads.map((payload) => newJobOf(kind, payload, rest))), tx)
      },
      job: (payload, said) => ({ kind: kind.kind, payload, ...(said && { options: said }) }),
    }
  }
}

/** Waits only where there is something to wait for: a promise for each of ten thousand jobs is a tenth of what storing them costs. */
async function allOf(jobs: (NewJob | Promise<NewJob>)[]): Promise<NewJob[]> {
  return jobs.some((job) => job instanceof Promise) ? Promise.all(jobs) : (jobs as NewJob[])
}

function kindDefaults({ maxPayload, keyring, encrypt, queues }: ResolvedJobsOptions): KindDefaults {
  return {
    encrypt,
    maxPayload,
    encryption: keyring && createEncryption(keyring),
    policyOf: (queue) => queues.of(queue),
  }
}

function warnOfMemory({ backend }: ResolvedJobsOptions): void {
  if (backend.name !== 'memory' || !notice.hasSubscribers) return
  notice.publish({ source: 'jobs', level: 'warn', message: 'jobs are kept in memory, and end with this process' })
}
