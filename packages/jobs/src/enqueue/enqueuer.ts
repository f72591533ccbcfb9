import { jobEnqueued, optional, optionsError, resolveOptions, value } from '@tailwater/core'
import type { SqlExecutor } from '@tailwater/postgres'
import type { EnqueuePort, Stored } from '../backend/enqueue_port.ts'
import type { NewJob } from '../job.ts'
import { Coalescer } from './coalescer.ts'

/** What our own transactions offer beyond the least that is asked of a user's. */
interface AfterCommit {
  afterCommit?(task: () => void): void
}

/** A transaction that jobs are stored in. */
export type JobTransaction = SqlExecutor & AfterCommit

const options = {
  tx: optional(value<JobTransaction>('a transaction', (given) => typeof given === 'object' && given !== null)),
}

/** Splits what a call of a kind says into what is of the job and the transaction. @throws E_OPTIONS for null, in place of either */
export function callOf<Said extends object>(
  path: string,
  said: (Said & { tx?: JobTransaction }) | undefined,
): { rest: Said | undefined; tx: JobTransaction | undefined } {
  if (said === undefined) return { rest: undefined, tx: undefined }
  if (typeof said !== 'object' || said === null) throw optionsError(path, 'an object of options', said)
  const { tx, ...rest } = said
  return { rest: rest as unknown as Said, tx: options.tx.parse(tx, `${path}.tx`) }
}

/** The transaction of a call: one that was given under another name must not be passed over. @throws E_OPTIONS */
export function transactionOf(path: string, given: { tx?: JobTransaction } | undefined): JobTransaction | undefined {
  return given === undefined ? undefined : resolveOptions(path, given, options).tx
}

/** Brings jobs to the store, and wakes the workers of this process when they are there. */
export interface Enqueuer {
  /** One job; without a transaction it goes together with what else is enqueued in this tick. */
  one(job: NewJob, tx?: JobTransaction): Promise<Stored>
  /** Many jobs, in batches of what the store takes. Outside a transaction each batch is stored or fails on its own. */
  many(jobs: readonly NewJob[], tx?: JobTransaction): Promise<Stored[]>
}

/** @param wake is told of queues that have got jobs */
export function createEnqueuer(port: EnqueuePort, wake: (queue: string) => void): Enqueuer {
  const coalescer = new Coalescer(port)

  function stored(jobs: readonly NewJob[], outcomes: readonly Stored[], tx?: JobTransaction): void {
    const queues = new Set<string>()
    for (const [index, job] of jobs.entries()) {
      const { id, outcome } = outcomes[index]!
      if (outcome === 'duplicate') continue
      if (jobEnqueued.hasSubscribers) publish(job, id)
      // Whoever brings it to the store wakes them.
      if (outcome === 'deferred') continue
      queues.add(job.queue)
      for (const child of job.children ?? []) queues.add(child.queue)
    }
    const tell = () => queues.forEach(wake)
    if (tx?.afterCommit) tx.afterCommit(tell)
    else tell()
  }

  return {
    async one(job, tx) {
      const outcome = tx ? (await port.add([job], tx))[0]! : await coalescer.add(job)
      stored([job], [outcome], tx)
      return outcome
    },
    async many(jobs, tx) {
      const outcomes: Stored[] = []
      for (let at = 0; at < jobs.length; at += port.maxBatch) {
        const batch = jobs.slice(at, at + port.maxBatch)
        const reply = await port.add(batch, tx)
        stored(batch, reply, tx)
        outcomes.push(...reply)
      }
      return outcomes
    },
  }
}

function publish({ kind, queue, requestId, traceparent }: NewJob, jobId: string): void {
  jobEnqueued.publish({ requestId, kind, queue, jobId, traceparent })
}
