import {
  currentContext,
  type JobContext,
  type JobKind,
  type JobRunner,
  jobEnqueued,
  newId,
  processIdentity,
  type Service,
  show,
  TailwaterError,
} from '@tailwater/core'
import type { Queryable, SqlExecutor } from '@tailwater/postgres'
import { type JobsOptions, resolveJobsOptions } from './options.ts'
import { jobStatements } from './statements.ts'
import type { ClaimedJob, JobCounts } from './stored_job.ts'
import { createWorker } from './worker.ts'

/** Jobs of one schema: kinds are defined, jobs enqueued, and between `start` and `stop` run here. */
export interface SmallJobs extends JobRunner<SqlExecutor>, Service {
  /** Jobs in each unfinished state. */
  counts(): Promise<JobCounts>
}

type Handler = (context: JobContext<never>) => Promise<unknown>

/** What our own transactions offer beyond the least that is asked of a user's. */
interface AfterCommit {
  afterCommit?(task: () => void): void
}

/**
 * Builds the engine on PostgreSQL.
 *
 * Each job runs at least once: a worker that dies is noticed when its lease ends, and the job runs
 * again, so handlers must bear repetition.
 *
 * @example
 * const jobs = createJobs({ database })
 * const receipt = jobs.define({ kind: 'send-receipt', run: async ({ payload }: JobContext<{ orderId: number }>) => send(payload.orderId) })
 * await database.transaction(async (tx) => receipt.enqueue({ orderId: 1 }, { tx }))
 */
export function createSmallJobs(given: JobsOptions): SmallJobs {
  const options = resolveJobsOptions(given)
  const statements = jobStatements(`"${options.schema}"`)
  const handlers = new Map<string, Handler>()
  const worker = createWorker({
    options: { ...options, owner: options.owner ?? processIdentity },
    statements,
    kinds: () => [...handlers.keys()],
    // A handler that throws before its first await fails like any other.
    run: async (job, signal) => handlers.get(job.kind)!(contextOf(job, signal)),
  })

  async function enqueue(kind: string, payload: unknown, tx: (SqlExecutor & AfterCommit) | undefined): Promise<string> {
    const context = currentContext()
    const jobId = newId()
    const values = [
      jobId,
      kind,
      serialise(kind, payload),
      String(options.maxAttempts),
      context?.requestId ?? null,
      context?.traceparent ?? null,
    ]
    if (tx) await tx.query(statements.enqueue.text, values)
    else await (options.database as Queryable).query(statements.enqueue, values)
    if (tx?.afterCommit) tx.afterCommit(worker.wake)
    else worker.wake()
    if (jobEnqueued.hasSubscribers) jobEnqueued.publish({ requestId: context?.requestId, kind, jobId })
    return jobId
  }

  return {
    name: 'jobs',
    start: worker.start,
    stop: worker.stop,
    define<Payload>(definition: {
      kind: string
      run(context: JobContext<Payload>): Promise<unknown>
    }): JobKind<Payload, SqlExecutor> {
      const { kind, run } = definition
      if (!/^[a-z][a-z0-9-]{0,99}$/.test(kind))
        throw new TailwaterError(
          'E_JOB_KIND',
          `a job's kind must be lower-case words joined by hyphens, got ${show(kind)}`,
        )
      if (typeof run !== 'function')
        throw new TailwaterError('E_JOB_KIND', `jobs of kind '${kind}' need a function run, got ${show(run)}`)
      if (handlers.has(kind)) throw new TailwaterError('E_JOB_KIND', `jobs of kind '${kind}' are defined already`)
      handlers.set(kind, run as Handler)
      return { kind, enqueue: (payload, { tx } = {}) => enqueue(kind, payload, tx) }
    },
    async counts() {
      const { rows } = await options.database.query<{ state: keyof JobCounts; count: number }>(statements.count)
      return {
        available: 0,
        running: 0,
        retryable: 0,
        dead: 0,
        ...Object.fromEntries(rows.map((row) => [row.state, row.count])),
      }
    },
  }
}

function contextOf(job: ClaimedJob, signal: AbortSignal): JobContext<never> {
  return { jobId: job.id, kind: job.kind, payload: job.payload as never, attempt: job.attempt, signal }
}

function serialise(kind: string, payload: unknown): string {
  try {
    const json = JSON.stringify(payload)
    if (json !== undefined) return json
  } catch (cause) {
    throw new TailwaterError('E_JOB_PAYLOAD', `the payload of '${kind}' cannot be written as JSON`, { kind, cause })
  }
  throw new TailwaterError('E_JOB_PAYLOAD', `the payload of '${kind}' must be JSON data, got ${show(payload)}`, {
    kind,
  })
}
