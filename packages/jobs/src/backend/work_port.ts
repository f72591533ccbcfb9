import type { BucketCount } from '../histogram.ts'
import type { ClaimedJob, JobEnd } from '../job.ts'

/** What a worker says and wants in one turn. */
export interface Turn {
  /** `host:pid:nonce` and a number: one worker is one owner. */
  worker: string
  /** Milliseconds after which the worker is taken for dead if it has not taken another turn. */
  lease: number
  /** How attempts ended, each at most once. */
  ends: readonly JobEnd[]
  /** How many jobs it can begin now, by queue; in the order in which queues are served. */
  wants: readonly { queue: string; count: number }[]
  /**
   * Ids of every job that the worker believes it runs, only if `reconcile`. Jobs that the store has given to it and that are not among them
   * were in a reply that was lost: they are given again in this turn's `claimed`, without counting another attempt.
   */
  reconcile?: readonly string[]
}

/** What came of it. */
export interface TurnReply {
  claimed: ClaimedJob[]
  /** Ends that were refused, because another worker, or nobody, owned the job by then. */
  refused: string[]
  /** Of `reconcile`: what the worker does not own any more, because it was taken for dead meanwhile. Empty without `reconcile`. */
  lost: string[]
  /** Jobs of this worker that somebody asked to cancel. Named in each turn until their end is told. */
  cancelled: string[]
  /** Milliseconds until something may become available in the wanted queues by itself (a scheduled job, a retry, a rate limit); undefined when nothing is in sight. */
  nextIn: number | undefined
  /** Jobs that were buried in this turn because they killed their worker too often: poison. */
  buried: ClaimedJob[]
}

/** How long jobs of a queue waited and ran, as counts of buckets (`bucketOf`). */
export interface QueueSpans {
  queue: string
  /** From being available to being claimed. */
  waits: readonly BucketCount[]
  /** Of the handler. */
  runs: readonly BucketCount[]
}

/** Milliseconds of a histogram, by the store's clock, and how many of those that are over are shown with the one under way. */
export const SPAN_SLOT = 300_000
export const SPAN_SLOTS = 12

/** Milliseconds by which a lease may be shorter than the last turn said: a store does not have to renew one that was renewed so lately. */
export const LEASE_SLACK = 100

/** What workers do. */
export interface WorkPort {
  /**
   * One atomic step, in this order: acknowledges, fails, snoozes; renews the worker's lease (`LEASE_SLACK`); makes due jobs available in the queues that `wants` names (with a
   * count of 0, too); rescues jobs of dead workers in them; claims.
   *
   * A worker may take two turns at a time, as long as neither says `reconcile`.
   *
   * What a worker says after its lease ended counts as long as nobody has rescued its jobs. Rescued jobs, and those given back by `leave`, stand first in their
   * priority; one that somebody asked to cancel becomes `cancelled` instead.
   *
   * Claims respect, in this order: paused queues (nothing), the queue's concurrency over all processes, its rate, then per key the concurrency and the rate
   * (`QueueLimits`), with turns between keys of one priority when `fair`. What is given again by `reconcile` counts against no limit, and not as wanted.
   * A rescued job counts as an attempt and as a crash; with more than `MAX_CRASHES` crashes, or no attempt left, it becomes dead with an error that begins with
   * E_JOB_POISON.
   */
  turn(turn: Turn): Promise<TurnReply>
  /** Progress (0 to 100, or any JSON) and log lines of running jobs, in one batch; those not owned by the worker are dropped. The newest 1,000 lines of a job are kept. */
  report(worker: string, reports: readonly { id: string; progress?: string; logs?: readonly string[] }[]): Promise<void>
  /** Adds to the histograms of queues (`QueueStats.wait`, `QueueStats.run`). */
  observe(spans: readonly QueueSpans[]): Promise<void>
  /** Gives back what the worker still owns, without counting the attempts, and forgets the worker. */
  leave(worker: string): Promise<void>
  /** Jobs that one turn may claim at most. */
  readonly maxClaim: number
}
