import type { SqlExecutor } from '@tailwater/postgres'
import type { NewJob } from '../job.ts'

/** What became of one job that was to be stored. */
export interface Stored {
  /** Of the job that now stands for the request: its own, or that of the one it was a duplicate of. */
  id: string
  /**
   * `stored`: a new job; `duplicate`: another job of the same unique key stands, and was left alone; `replaced`: the standing job, which had not begun, has
   * got the new payload, priority and time under its old id; `deferred`: it is written in the transaction, and stored after the commit: only then is it known whether
   * it is a duplicate, and of which.
   */
  outcome: 'stored' | 'duplicate' | 'replaced' | 'deferred'
}

/** How jobs come in. */
export interface EnqueuePort {
  /**
   * Stores jobs, all or none, in their order; their ids are the caller's.
   * Told twice of the same id it stores it once, and says `stored` again, so that a call whose reply was lost can be repeated.
   *
   * A job with children (`NewJob.children`) is stored as `pending` together with all below it.
   *
   * @param tx the caller's transaction: nothing exists unless it commits. The PostgreSQL backend takes one, and the Redis backend with an outbox, for which jobs are
   *   `deferred`; otherwise it is refused with E_JOB_TRANSACTION
   */
  add(jobs: readonly NewJob[], tx?: SqlExecutor): Promise<Stored[]>
  /** Jobs that one `add` may hold at most; the engine cuts larger lots. */
  readonly maxBatch: number
  /** Calls `wake` soon after jobs of any queue became available, from whichever process; may call it for nothing, and may miss one (workers poll, too). */
  onAvailable(wake: (queue: string) => void): Promise<() => Promise<void>>
}
