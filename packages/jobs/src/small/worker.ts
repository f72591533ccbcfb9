import {
  backgroundError,
  type Cancel,
  createService,
  type JobAttemptEvent,
  jobAttempt,
  runInContext,
  runOutsideContext,
  type Service,
  toError,
} from '@tailwater/core'
import { backoff } from './backoff.ts'
import type { ResolvedJobsOptions } from './options.ts'
import type { JobStatements } from './statements.ts'
import type { ClaimedJob } from './stored_job.ts'

/** Runs one job; rejects when it failed. */
export type RunJob = (job: ClaimedJob, signal: AbortSignal) => Promise<unknown>

/** What the worker needs of the engine. */
export interface WorkerParts {
  options: ResolvedJobsOptions & { owner: string }
  statements: JobStatements
  kinds(): string[]
  run: RunJob
}

/** Renewals in one lease: two may fail before another worker takes over. */
const RENEWALS_PER_LEASE = 3
/** Milliseconds after a deadline in which jobs are given back; if the database does not answer, their leases end by themselves. */
const GIVE_BACK_TIME = 1_000

/**
 * Claims due jobs and runs them.
 *
 * Modes: *idle* (a poll is due in `pollInterval`, `wake` brings it forward), *claiming* (one statement in flight, never two),
 * *stopping* (claims nothing, renews leases and waits for running handlers until the deadline, then aborts them and gives their jobs back).
 *
 * One process runs a job once at a time, even when its lease ran out while the database was away: a claim leaves out what runs here.
 */
export function createWorker({ options, statements, kinds, run }: WorkerParts): Service & { wake(): void } {
  const { database, clock, owner, concurrency } = options
  const running = new Map<string, { abort: AbortController; done: Promise<void> }>()
  let isOpen = false
  let claiming: Promise<void> | undefined
  let wokenMeanwhile = false
  let cancelPoll: Cancel = () => {}
  let renewing = new AbortController()
  let cancelRenewal: Cancel = () => {}

  const report = (error: unknown) => {
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'jobs-worker', error: toError(error) })
  }

  function wake(): void {
    if (!isOpen) return
    if (claiming) {
      wokenMeanwhile = true
      return
    }
    cancelPoll()
    wokenMeanwhile = false
    // The request that happened to wake the worker has nothing to do with what is claimed, nor with the polls that follow.
    claiming = runOutsideContext(() => claim().catch(report).finally(endClaim))
  }

  function endClaim(): void {
    claiming = undefined
    if (wokenMeanwhile) wake()
    else if (isOpen) cancelPoll = clock.after(options.pollInterval, wake)
  }

  async function claim(): Promise<void> {
    const free = concurrency - running.size
    if (free <= 0) return
    const own = [...running.keys()]
    const { rows } = await database.query<ClaimedJob>(statements.claim, [owner, free, kinds(), options.lease, own])
    for (const job of rows) if (job.state === 'dead') publish(job, { outcome: 'dead', ms: 0, error: workerDied() })
    const mine = rows.filter((job) => job.state === 'running')
    if (!isOpen) return release(mine.map((job) => job.id))
    for (const job of mine) start(job)
    if (rows.length === free) wokenMeanwhile = true
  }

  function start(job: ClaimedJob): void {
    const abort = new AbortController()
    const context = { requestId: requestOf(job), ...(job.traceparent ? { traceparent: job.traceparent } : {}) }
    const done = runInContext(context, () => attempt(job, abort.signal))
      .catch(report)
      .finally(() => {
        running.delete(job.id)
        wake()
      })
    running.set(job.id, { abort, done })
  }

  async function attempt(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const startedAt = clock.elapsed()
    const error = await run(job, signal).then(
      () => undefined,
      (thrown: unknown) => toError(thrown),
    )
    if (error && signal.aborted) return
    const ms = clock.elapsed() - startedAt
    const outcome = await settle(job, error)
    if (outcome) publish(job, { outcome, ms, error })
  }

  /** The state it ended in; undefined when another worker had taken it over and nothing was written. */
  async function settle(
    job: ClaimedJob,
    failure: Error | undefined,
  ): Promise<'completed' | 'retryable' | 'dead' | undefined> {
    const key = [job.id, owner, job.attempt]
    if (!failure) return (await database.query(statements.complete, key)).rows.length > 0 ? 'completed' : undefined
    const { rows } = await database.query<{ state: 'retryable' | 'dead' }>(statements.fail, [
      ...key,
      backoff(job.attempt),
      failure.message.slice(0, 2_000),
    ])
    return rows[0]?.state
  }

  function scheduleRenewal(within: AbortSignal): void {
    cancelRenewal = clock.after(options.lease / RENEWALS_PER_LEASE, () => {
      void renew()
        .catch(report)
        .finally(() => within.aborted || scheduleRenewal(within))
    })
  }

  async function renew(): Promise<void> {
    const ids = [...running.keys()]
    if (ids.length > 0) {
      const { rows } = await database.query<{ id: string }>(statements.renew, [ids, owner, options.lease])
      const held = new Set(rows.map((row) => row.id))
      for (const id of ids) if (!held.has(id)) running.get(id)?.abort.abort(new Error('the lease was taken over'))
    }
    await database.query(statements.trim, [options.retention])
  }

  const service = createService('jobs-worker', {
    start() {
      isOpen = true
      renewing = new AbortController()
      scheduleRenewal(renewing.signal)
      wake()
    },
    async stop(deadline = Number.POSITIVE_INFINITY) {
      isOpen = false
      cancelPoll()
      await until(deadline, finish())
      renewing.abort()
      cancelRenewal()
      await until(Math.max(deadline, clock.elapsed()) + GIVE_BACK_TIME, giveBack())
    },
  })

  async function finish(): Promise<void> {
    await claiming
    await Promise.all([...running.values()].map((entry) => entry.done))
  }

  async function giveBack(): Promise<void> {
    const ids = [...running.keys()]
    for (const { abort } of running.values()) abort.abort(new Error('the process is stopping'))
    await release(ids)
  }

  async function release(ids: readonly string[]): Promise<void> {
    if (ids.length > 0) await database.query(statements.release, [ids, owner])
  }

  /** Waits for the work, but not beyond the deadline. */
  function until(deadline: number, work: Promise<void>): Promise<void> {
    if (deadline === Number.POSITIVE_INFINITY) return work
    return new Promise((resolve, reject) => {
      const cancel = clock.after(Math.max(0, deadline - clock.elapsed()), resolve)
      void work.then(resolve, reject).finally(cancel)
    })
  }

  return { ...service, wake }
}

const workerDied = () => new Error('its worker died during the last attempt')

/** A job enqueued outside of a request has an id of its own to be found by. */
const requestOf = (job: ClaimedJob) => job.requestId ?? job.id

function publish(job: ClaimedJob, end: Pick<JobAttemptEvent, 'outcome' | 'ms' | 'error'>): void {
  if (!jobAttempt.hasSubscribers) return
  const { kind, id: jobId, attempt, waitMs } = job
  jobAttempt.publish({ requestId: requestOf(job), kind, jobId, attempt, waitMs, ...end })
}
