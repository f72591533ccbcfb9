import type { JobKind } from '@tailwater/core'
import type { SqlExecutor } from '@tailwater/postgres'
import type { Stored } from './backend/enqueue_port.ts'
import type { JobTransaction } from './enqueue/enqueuer.ts'
import type { JobOptions, JobRequest } from './request.ts'

/** Options of one call. */
export interface EnqueueJobOptions extends JobOptions {
  /** The caller's transaction: the job exists only if it commits. PostgreSQL takes it; Redis does with an outbox, and then has the job a moment after the commit. */
  tx?: JobTransaction
}

/** A kind that was defined: what its jobs are enqueued by. */
export interface Kind<Input> extends JobKind<Input, SqlExecutor> {
  /**
   * Stores a job and resolves to its id, or to that of the job it is a duplicate of. Calls of one tick are stored together, and fail together.
   *
   * @throws E_JOB_PAYLOAD, E_JOB_PAYLOAD_SIZE, E_JOB_TRANSACTION, E_JOB_UNIQUE, E_OPTIONS
   */
  enqueue(payload: Input, options?: EnqueueJobOptions): Promise<string>
  /** Stores many jobs, in batches; what became of each. */
  enqueueMany(payloads: readonly Input[], options?: EnqueueJobOptions): Promise<Stored[]>
  /** A request for `jobs.enqueueMany` or a flow: nothing is stored by it. */
  job(payload: Input, options?: JobOptions): JobRequest<Input>
}
