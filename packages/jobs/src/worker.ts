import {
  backgroundError,
  type Cancel,
  createService,
  jobAttempt,
  runInContext,
  type Service,
  toError,
} from '@tailwater/core'
import { backoff } from './backoff.ts'
import type { ClaimedJob } from './job.ts'
import type { ResolvedJobsOptions } from './options.ts'
import type { JobStatements } from './statements.ts'

/** Runs one job; rejects when it failed. */
export type RunJob = (job: ClaimedJob, signal: AbortSignal) => Promise<unknown>

/** What the worker needs of the engine. */
export interface WorkerParts {
  options: ResolvedJobsOptions & { owner: string }
  statements: JobStatements
  kinds(): string[]
  run: RunJob
}

/** Share of a lease after which it is renewed: two renewals may fail before another worker takes over. */
const RENEWALS_PER_LEASE = 3

/**
 * Claims due jobs and runs them.
 *
 * Modes: *idle* (a poll is due in `pollInterval`, `wake` brings it forward), *claiming* (one statement in flight, never two),
 * *stopping* (claims nothing, waits for running handlers until the deadline, then aborts them and gives their jobs back).
 */
export function createWorker({ options, statements, kinds, run }: WorkerParts): Service & { wake(): void } {
  const { database, clock, owner, concurrency } = options
  const running = new Map<string, { abort: AbortController; done: Promise<void> }>()
  let isOpen = false
  let claiming: Promise<void> | undefined
  let wokenMeanwhile = false
  let cancelPoll: Cancel = () => {}
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
    claiming = claim()
      .catch(report)
      .finally(() => {
        claiming = undefined
        if (wokenMeanwhile) wake()
        else if (isOpen) cancelPoll = clock.after(options.pollInterval, wake)
      })
  }

  async function claim(): Promise<void> {
    const free = concurrency - running.size
    if (free <= 0) return
    const { rows } = await database.query<ClaimedJob>(statements.claim, [owner, free, kinds(), options.lease])
    for (const job of rows) if (job.state === 'running') start(job)
    if (rows.length === free) wokenMeanwhile = true
  }

  function start(job: ClaimedJob): void {
    const abort = new AbortController()
    const done = attempt(job, abort.signal)
      .catch(report)
      .finally(() => {
        running.delete(job.id)
        wake()
      })
    running.set(job.id, { abort, done })
  }

  async function attempt(job: ClaimedJob, signal: AbortSignal): Promise<void> {
    const startedAt = clock.elapsed()
    const context = { requestId: job.requestId ?? job.id, ...(job.traceparent ? { traceparent: job.traceparent } : {}) }
    const failure = await runInContext(context, async () => run(job, signal)).then(
      () => undefined,
      (thrown: unknown) => toError(thrown),
    )
    if (failure && signal.aborted) return
    const ms = clock.elapsed() - startedAt
    const outcome = await settle(job, failure)
    if (!jobAttempt.hasSubscribers || !outcome) return
    const { kind, id: jobId, waitMs } = job
    jobAttempt.publish({
      requestId: context.requestId,
      kind,
      jobId,
      attempt: job.attempt,
      outcome,
      waitMs,
      ms,
      error: failure,
    })
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

  function scheduleRenewal(): void {
    cancelRenewal = clock.after(options.lease / RENEWALS_PER_LEASE, () => {
      void renew()
        .catch(report)
        .finally(() => isOpen && scheduleRenewal())
    })
  }

  async function renew(): Promise<void> {
    await database.query(statements.trim, [options.retention])
    const ids = [...running.keys()]
    if (ids.length === 0) return
    const { rows } = await database.query<{ id: string }>(statements.renew, [ids, owner, options.lease])
    const held = new Set(rows.map((row) => row.id))
    for (const id of ids) if (!held.has(id)) running.get(id)?.abort.abort(new Error('the lease was taken over'))
  }

  const service = createService('jobs-worker', {
    start() {
      isOpen = true
      scheduleRenewal()
      wake()
    },
    async stop(deadline) {
      isOpen = false
      cancelPoll()
      await claiming
      const finished = Promise.all([...running.values()].map((entry) => entry.done))
      await (deadline === undefined ? finished : Promise.race([finished, until(deadline)]))
      cancelRenewal()
      await giveBack()
    },
  })

  function until(deadline: number): Promise<void> {
    return new Promise((resolve) => void clock.after(Math.max(0, deadline - clock.elapsed()), resolve))
  }

  async function giveBack(): Promise<void> {
    const ids = [...running.keys()]
    if (ids.length === 0) return
    for (const { abort } of running.values()) abort.abort(new Error('the process is stopping'))
    await database.query(statements.release, [ids, owner])
  }

  return { ...service, wake }
}
