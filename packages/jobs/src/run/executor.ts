import { type Cancel, type Clock, notice, runInContext, runOutsideContext } from '@tailwater/core'
import { jobsError } from '../errors.ts'
import type { ClaimedJob } from '../job.ts'
import type { Handler, ResolvedKind } from '../kind.ts'
import { Attempt, type AttemptHost } from './attempt.ts'
import type { Ended } from './attempt_events.ts'
import { Batches } from './batches.ts'
import { endOfFailure } from './failure.ts'
import { Isolation, mayBePoison } from './isolation.ts'
import type { Lane, Lanes } from './lane.ts'
import { Snooze } from './snooze.ts'
import type { Threads } from './threads.ts'

/** Milliseconds after which a job that cannot run here is looked at again: a process that knows its kind may be on its way. */
const PUT_OFF_DELAY = 30_000
/** Milliseconds after which a job that another suspect keeps from running here is looked at again. */
const SUSPECT_DELAY = 500
/** Milliseconds that a handler has to stop when it was told to, before its job goes on without it. */
const GRACE = 5_000

/** What an executor is made of. */
export interface ExecutorParts {
  clock: Clock
  kinds: ReadonlyMap<string, ResolvedKind>
  lanes: Lanes
  host: AttemptHost
  threads: Threads
  /** How often a job has cost its worker. */
  crashesOf(id: string): Promise<number>
  /** Whether the store knows all ends, and no turn is under way. */
  isSettled(): boolean
  end(ended: Ended): void
  report(error: unknown): void
}

/** Runs handlers: one call for a job, one for a batch, one in a thread; and makes an end of whatever comes of it. */
export class Executor {
  /** Attempts that the store has given to us, by job. */
  readonly running = new Map<string, Attempt>()
  readonly #parts: ExecutorParts
  readonly #batches: Batches
  readonly #isolation: Isolation
  /** Lost attempts whose handlers go on, by job. */
  readonly #lost = new Map<string, Attempt>()
  readonly #noticed = new Map<string, number>()
  #isQuiet = false

  constructor(parts: ExecutorParts) {
    this.#parts = parts
    this.#batches = new Batches(parts.clock, (attempts) => void this.#runBatch(attempts))
    this.#isolation = new Isolation({
      ...parts,
      running: this.running,
      start: (attempt) => {
        this.#start(attempt)
        this.#batches.flush()
      },
      giveBack: (attempt) => {
        this.running.delete(attempt.claimed.id)
        this.#drop(attempt)
        this.#putOff(attempt.claimed, SUSPECT_DELAY)
      },
    })
  }

  open(): void {
    this.#isQuiet = false
  }

  /** What is claimed from now on goes back. */
  quiet(): void {
    this.#isQuiet = true
  }

  begin(job: ClaimedJob): void {
    this.#lane(job).running++
    const kind = this.#parts.kinds.get(job.kind)
    if (!kind) this.#noticeUnknown(job)
    if (!kind || this.#isQuiet) {
      this.#leavePlace(job)
      this.#putOff(job, kind ? 0 : PUT_OFF_DELAY)
      return
    }
    this.lose(job.id)
    const attempt = new Attempt(job, kind, this.#parts.host, this.#parts.clock.elapsed())
    this.running.set(job.id, attempt)
    const former = this.#lost.get(job.id)
    if (former) this.#waitFor(former, attempt)
    else this.#admit(attempt)
  }

  #admit(attempt: Attempt): void {
    if (mayBePoison(attempt.claimed)) this.#isolation.admit(attempt)
    else this.#start(attempt)
  }

  /** One process runs a job once at a time. A handler that does not stop must not hold its job for ever, though: another process may take it. */
  #waitFor(former: Attempt, attempt: Attempt): void {
    former.successor = attempt
    attempt.cancelTimer = this.#parts.clock.after(GRACE, () => {
      const { claimed } = attempt
      this.running.delete(claimed.id)
      this.#drop(attempt)
      this.#putOff(claimed, PUT_OFF_DELAY)
    })
  }

  #putOff(job: ClaimedJob, delay: number): void {
    const end = { id: job.id, attempt: job.attempt, outcome: 'snoozed' as const, delay }
    this.#parts.end({ end, job, ms: 0, error: undefined })
  }

  /** Batches that wait for nothing more go. */
  onBegun(): void {
    this.#batches.flush()
  }

  /** A turn is over. */
  onSettled(): void {
    this.#isolation.look()
  }

  /** Tells the handler of a job to stop. */
  abort(id: string, reason: Error): void {
    this.running.get(id)?.abort(reason)
  }

  /** A job that runs here is not ours any more. */
  lose(id: string): void {
    const attempt = this.running.get(id)
    if (!attempt) return
    this.running.delete(id)
    if (attempt.state === 'waiting') {
      this.#drop(attempt)
      return
    }
    attempt.state = 'lost'
    this.#lost.set(id, attempt)
    this.#isolation.look()
    attempt.abort(jobsError('E_JOB_LEASE_LOST', 'the job was given to another worker, because this one was silent'))
  }

  /** Tells every handler to stop, and wants to know of none. */
  abandonAll(reason: Error): void {
    this.#isolation.clear()
    for (const attempt of [...this.running.values(), ...this.#lost.values()]) {
      attempt.abort(reason)
      this.#drop(attempt)
    }
    this.running.clear()
    this.#lost.clear()
  }

  #drop(attempt: Attempt): void {
    attempt.state = 'over'
    attempt.cancelTimer?.()
    this.#leavePlace(attempt.claimed)
    this.#isolation.look()
  }

  #start(attempt: Attempt): void {
    const { claimed, definition } = attempt
    attempt.state = 'running'
    if (claimed.timeout !== undefined) attempt.cancelTimer = this.#limitTime(attempt, claimed.timeout)
    try {
      const payload = definition.codec.read(claimed.payload)
      if (payload instanceof Promise)
        payload.then(
          (read) => {
            this.#dispatch(attempt, read)
            this.#batches.flush()
          },
          (error) => this.#settle(attempt, undefined, error),
        )
      else this.#dispatch(attempt, payload)
    } catch (error) {
      this.#settle(attempt, undefined, error)
    }
  }

  #dispatch(attempt: Attempt, payload: unknown): void {
    attempt.payload = payload as never
    const { handler } = attempt.definition
    if (handler.type === 'batch') {
      this.#lane(attempt.claimed).isWhole = true
      this.#batches.add(attempt, handler)
    } else void this.#run(attempt, handler)
  }

  async #run(attempt: Attempt, handler: Handler & { type: 'single' | 'thread' }): Promise<void> {
    const { id, requestId = id, traceparent } = attempt.claimed
    const context = traceparent === undefined ? { requestId } : { requestId, traceparent }
    try {
      const result = runInContext(context, () =>
        handler.type === 'single' ? handler.run(attempt) : this.#parts.threads.run(handler.module, attempt),
      )
      // What is there already needs no turn of the microtask queue.
      this.#settle(attempt, isThenable(result) ? await result : result, undefined)
    } catch (error) {
      this.#settle(attempt, undefined, error ?? new Error('the handler threw nothing'))
    }
  }

  /** A batch belongs to no single request. */
  async #runBatch(attempts: readonly Attempt[]): Promise<void> {
    const { handler } = attempts[0]!.definition
    if (handler.type !== 'batch') return
    try {
      const results = (await runOutsideContext(() => handler.run(attempts as readonly never[]))) as unknown
      if (results !== undefined && !(Array.isArray(results) && results.length === attempts.length))
        throw jobsError('E_JOB_KIND', 'runBatch must return as many results as it was given jobs, or nothing')
      for (const [index, attempt] of attempts.entries()) {
        const result: unknown = Array.isArray(results) ? results[index] : undefined
        if (result instanceof Error) this.#settle(attempt, undefined, result)
        else this.#settle(attempt, result, undefined)
      }
    } catch (error) {
      for (const attempt of attempts) this.#settle(attempt, undefined, error ?? new Error('the handler threw nothing'))
    }
  }

  /** The handler is done. */
  #settle(attempt: Attempt, result: unknown, thrown: unknown): void {
    if (attempt.state === 'running') this.#finish(attempt, result, thrown)
    else if (attempt.state === 'lost') this.#makeWay(attempt)
  }

  #finish(attempt: Attempt, result: unknown, thrown: unknown): void {
    const { claimed, startedAt } = attempt
    this.running.delete(claimed.id)
    this.#drop(attempt)
    const ms = this.#parts.clock.elapsed() - startedAt
    this.#parts.end({ job: claimed, ms, ...this.#endOf(attempt, result, thrown) })
  }

  #endOf(attempt: Attempt, result: unknown, thrown: unknown): Pick<Ended, 'end' | 'error'> {
    const { claimed, definition } = attempt
    let failure = thrown
    if (failure === undefined && result instanceof Snooze) failure = result
    if (failure === undefined) {
      try {
        const text = definition.codec.writeResult(result)
        return {
          end: { id: claimed.id, attempt: claimed.attempt, outcome: 'completed', result: text },
          error: undefined,
        }
      } catch (error) {
        failure = error
      }
    }
    return endOfFailure(attempt, failure, this.#parts.report)
  }

  /** The handler of a lost attempt has stopped: the next one of the same job may begin, if it is still ours. */
  #makeWay(attempt: Attempt): void {
    const { id } = attempt.claimed
    this.#lost.delete(id)
    this.#drop(attempt)
    const next = attempt.successor
    if (next?.state !== 'waiting') return
    next.cancelTimer?.()
    this.#admit(next)
  }

  #lane({ queue }: ClaimedJob): Lane {
    return this.#parts.lanes.of(queue)!
  }

  #leavePlace(job: ClaimedJob): void {
    this.#lane(job).running--
  }

  #limitTime(attempt: Attempt, ms: number): Cancel {
    return this.#parts.clock.after(ms, () => {
      attempt.abort(jobsError('E_JOB_TIMEOUT', `the attempt took longer than ${ms} ms`))
      attempt.cancelTimer = this.#parts.clock.after(GRACE, () => this.#giveUp(attempt))
    })
  }

  /** A handler that does not listen to its signal must not keep its job from going on. */
  #giveUp(attempt: Attempt): void {
    if (attempt.state !== 'running') return
    const { id, kind } = attempt.claimed
    if (notice.hasSubscribers)
      notice.publish({
        source: 'jobs',
        level: 'warn',
        message: `a handler of '${kind}' goes on after its timeout: it should listen to its signal`,
        fields: { jobId: id },
      })
    this.#finish(attempt, undefined, attempt.abortReason)
  }

  #noticeUnknown({ kind, queue }: ClaimedJob): void {
    const now = this.#parts.clock.elapsed()
    if (now < (this.#noticed.get(kind) ?? Number.NEGATIVE_INFINITY) + PUT_OFF_DELAY) return
    this.#noticed.set(kind, now)
    if (notice.hasSubscribers)
      notice.publish({
        source: 'jobs',
        level: 'warn',
        message: `jobs of kind '${kind}' wait in queue '${queue}', but this process does not define that kind`,
      })
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null && typeof value === 'object' && typeof (value as { then?: unknown }).then === 'function'
}
