import type { ClaimedJob, JobState } from '../job.ts'
import type { JobFilter } from './inspect_port.ts'

/** What a queue is held to, over all processes. Undefined: no limit. */
export interface QueueLimits {
  /** Jobs that run at once. */
  concurrency?: number
  /** Starts: `count` within any `per` milliseconds, as GCRA counts it, with bursts of `count`. */
  rate?: { count: number; per: number }
  /** For jobs with a `key`, each key on its own. */
  perKey?: { concurrency?: number; rate?: { count: number; per: number } }
  /**
   * Within a priority keys take turns, so that one with a million jobs does not hold up another with one; jobs without a key share a turn. Without it priority
   * and age alone decide.
   */
  fair?: boolean
}

/** How long finished jobs stay; children stay at least until their parent has ended. */
export interface Retention {
  /** Milliseconds; at most 30 days for completed ones. */
  completed: { age: number; count?: number }
  cancelled: { age: number; count?: number }
  dead: { age: number; count?: number }
}

/** Milliseconds of a day. */
const DAY = 86_400_000

/** What holds for a queue that nobody has configured. */
export const standardRetention: Retention = {
  completed: { age: 7 * DAY },
  cancelled: { age: 7 * DAY },
  dead: { age: 30 * DAY },
}

/** What a sweep has done. */
export interface Swept {
  /** Jobs that it buried because they killed their workers too often: nobody's turn tells of them. */
  buried: ClaimedJob[]
}

/** What operators do. Each method in bites says how many jobs it has dealt with and is called again until that is 0. */
export interface MaintainPort {
  /** Limits and retention of a queue; the last caller's hold for all processes. */
  configure(queue: string, limits: QueueLimits, retention: Retention): Promise<void>
  pause(queue: string): Promise<void>
  resume(queue: string): Promise<void>
  /**
   * Cancels: a job that does not run ends as `cancelled` at once, and all below it that have not ended; one that runs is asked to stop (`TurnReply.cancelled`).
   * False when it has ended already, or does not exist.
   */
  cancel(id: string): Promise<boolean>
  /**
   * Makes dead, cancelled, scheduled or retryable jobs available now, attempts and crashes counted anew for dead and cancelled ones (one that has children which
   * have not ended becomes `pending`); false if it is in none of these states.
   */
  retry(id: string): Promise<boolean>
  /** `retry` for many, oldest first, in bites of at most `limit`. With `to`, into another queue. */
  redrive(filter: JobFilter, limit: number, to?: string): Promise<number>
  /** Changes payload, priority, time or queue of a job that does not run; dead and cancelled ones stay as they are until retried. False if it runs, is completed, or is not there. */
  edit(id: string, change: { payload?: string; priority?: number; runAt?: number; queue?: string }): Promise<boolean>
  /** Deletes a job that does not run. Its parent takes it for cancelled; what is below it lives on. */
  remove(id: string): Promise<boolean>
  /** Deletes jobs of a state that ended, or for others were enqueued, more than `age` milliseconds ago, in bites. */
  clean(filter: JobFilter & { states: readonly JobState[] }, age: number, limit: number): Promise<number>
  /**
   * Deletes everything that carries the key, running jobs excepted (they are asked to stop, and deleted by a later call): a person's right to be forgotten. In bites;
   * counts what it deleted, and what it asked for the first time.
   */
  erase(key: string, limit: number): Promise<number>
  /** Applies retention (`standardRetention` where nothing is configured), makes due and rescues what no worker's turn would see, mends what a crash left; called every few seconds by one process at a time or by several. Bounded work. */
  sweep(): Promise<Swept>
}
