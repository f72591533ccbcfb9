import { backgroundError, type Cancel, type Clock, jobTurn, notice, runOutsideContext, toError } from '@tailwater/core'
import { LEASE_SLACK, type TurnReply, type WorkPort } from '../backend/work_port.ts'
import { jobsError } from '../errors.ts'
import type { ClaimedJob, JobEnd } from '../job.ts'
import { type Ended, publishBuried, publishEnded } from './attempt_events.ts'
import type { Executor } from './executor.ts'
import { type Lanes, type Want, WORTH_A_TURN } from './lane.ts'
import type { Reports } from './reports.ts'
import type { Spans } from './spans.ts'

/** Turns in one lease while jobs run: two may fail before the worker is taken for dead. */
const TURNS_PER_LEASE = 3
/** Milliseconds before the first repetition of a turn that failed, and at most; doubling in between. */
const RETRY = { first: 100, longest: 5_000 }

/** What a runner is made of. */
export interface RunnerParts {
  work: WorkPort
  clock: Clock
  worker: string
  /** Milliseconds. */
  lease: number
  /** Longest time between two looks at the store, in milliseconds; up to a fifth less by chance, so that processes do not look together. */
  pollInterval: number
  lanes: Lanes
  reports: Reports
  spans: Spans
  executor: Executor
}

/** What a turn took along. */
interface Taken {
  ended: readonly Ended[]
  wants: readonly Want[]
  /** It names the jobs that we believe we have, because a reply was lost, or the lease may have ended. */
  isReconciling: boolean
  /** Reading of the clock. */
  sentAt: number
}

/**
 * Takes turns with the store on behalf of one process: one round trip that tells how attempts ended, renews the lease and claims.
 *
 * Modes:
 * - *idle*: nothing to tell and nothing expected; a timer stands for the next look (what the store said is due, the poll, a third of the lease while jobs run);
 * - *planned*: ends came in; the turn is taken at the end of this tick, so that all ends of the tick go in one;
 * - *in turn*: one request is under way; what ends or wakes meanwhile goes with the next one, at once. A second one goes beside it when there is enough
 *   for it (`WORTH_A_TURN`), so that the store is at work while handlers run here; never a third;
 * - *failing*: a turn failed; the same ends are told again after a while, with the jobs we believe we have (`reconcile`), in a turn that has none beside it:
 *   what another one has just claimed would be taken for lost;
 * - *quiet*: stopping; ends are told and the lease is renewed, but nothing is claimed;
 * - *closed*: before the start and after `close`.
 *
 * The store is told what we believe to run once in a lease, too, though nothing failed: a server that another has taken the place of, or that came back without its last second, may hold
 * jobs for us that we ended long ago, and no turn need have failed for that.
 *
 * A job is claimed only for a free place: no other worker waits for what lies in a buffer here, and priorities hold.
 */
export class Runner {
  readonly #parts: RunnerParts
  #mode: 'open' | 'quiet' | 'closed' = 'closed'
  #ends: Ended[] = []
  #isPlanned = false
  readonly #turns = new Set<Promise<void>>()
  #isReconciling = false
  #cancelTimer: Cancel = () => {}
  #failures = 0
  #isDoubtful = false
  /** Reading of the clock until which the lease surely holds. */
  #leaseUntil = 0
  /** Reading of the clock at which the store is told again what we believe to run. */
  #reconcileAt = 0
  #woken = new Set<string>()
  #onIdle: (() => void)[] = []

  constructor(parts: RunnerParts) {
    this.#parts = parts
  }

  open(): void {
    this.#mode = 'open'
    this.#reconcileAt = this.#parts.clock.elapsed() + this.#parts.lease
    this.#parts.lanes.expectAll()
    this.#pump()
  }

  /** There may be jobs in a queue. */
  wake(queue: string): void {
    const lane = this.#parts.lanes.of(queue)
    if (!lane) return
    this.#woken.add(queue)
    lane.isExpecting = true
    this.#plan()
  }

  /** Places were made, or taken away. */
  resized(): void {
    this.#plan()
  }

  /** An attempt is over. */
  end(ended: Ended): void {
    this.#ends.push(ended)
    this.#plan()
  }

  /** Claims nothing any more; resolves when nothing runs and all ends are told. */
  quiet(): Promise<void> {
    this.#mode = 'quiet'
    return this.idle()
  }

  /** Resolves when nothing runs, all ends are told, and there is nothing that could be claimed now. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve)
      this.#settleIdle()
    })
  }

  /** Resolves when the turns that are under way have ended. */
  async close(): Promise<void> {
    this.#mode = 'closed'
    this.#cancelTimer()
    this.#onIdle = []
    await Promise.all(this.#turns)
    this.#ends = []
  }

  /** Whether the store knows all ends, and no turn is under way. */
  get isSettled(): boolean {
    return this.#turns.size === 0 && this.#ends.length === 0
  }

  #settleIdle(): void {
    const { executor, lanes } = this.#parts
    if (this.#turns.size > 0 || this.#ends.length > 0 || executor.running.size > 0) return
    if (this.#mode === 'open' && lanes.areHungry) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  #plan(): void {
    if (this.#isPlanned || this.#failures > 0 || this.#mode === 'closed' || !this.#mayBegin) return
    this.#isPlanned = true
    // After the promises of this tick: the ends of fifty handlers that resolve together go in one turn.
    process.nextTick(() => {
      this.#isPlanned = false
      this.#pump()
    })
  }

  /** Whether a turn may begin now, if only as the second one. */
  get #mayBegin(): boolean {
    if (this.#turns.size === 0) return true
    if (this.#turns.size > 1 || this.#isReconciling || this.#mustReconcile) return false
    return this.#ends.length >= WORTH_A_TURN || (this.#mode === 'open' && this.#parts.lanes.areWide)
  }

  get #mustReconcile(): boolean {
    const now = this.#parts.clock.elapsed()
    return (
      this.#isDoubtful || now >= this.#reconcileAt || (this.#parts.executor.running.size > 0 && now > this.#leaseUntil)
    )
  }

  #pump(isDue = false): void {
    if (this.#mode === 'closed' || !this.#mayBegin) return
    if (!isDue && this.#ends.length === 0 && !(this.#mode === 'open' && this.#parts.lanes.areHungry)) return
    this.#cancelTimer()
    // The request that happened to wake the worker has nothing to do with what is claimed, nor with the turns that follow.
    const isFirst = this.#turns.size === 0
    const plan = { isFirst, isReconciling: isFirst && this.#mustReconcile }
    this.#isReconciling = plan.isReconciling
    const turn: Promise<void> = runOutsideContext(() => this.#take(plan, () => this.#turns.delete(turn)))
    this.#turns.add(turn)
    this.#plan()
  }

  /** @param over called before anything follows from the turn */
  async #take({ isFirst, isReconciling }: { isFirst: boolean; isReconciling: boolean }, over: () => void) {
    const { clock, executor, lanes, reports, work, worker, lease } = this.#parts
    if (!reports.isEmpty) await reports.send()
    const ended = this.#ends
    this.#ends = []
    this.#woken.clear()
    const wants = this.#mode === 'open' ? lanes.wants(isFirst) : []
    const taken: Taken = { ended, wants, isReconciling, sentAt: clock.elapsed() }
    const reconcile = isReconciling ? [...executor.running.keys()] : undefined
    const ends: JobEnd[] = ended.map(({ end }) => end)
    let reply: TurnReply
    try {
      reply = await work.turn({ worker, lease, ends, wants, ...(reconcile && { reconcile }) })
    } catch (error) {
      over()
      this.#fail(taken, toError(error))
      return
    }
    over()
    this.#receive(taken, reply)
  }

  #receive({ ended, wants, isReconciling, sentAt }: Taken, reply: TurnReply): void {
    const { clock, executor, lanes, worker, lease } = this.#parts
    lanes.asked(wants)
    this.#leaseUntil = Math.max(this.#leaseUntil, sentAt + lease - LEASE_SLACK)
    publishTurn(worker, clock.elapsed() - sentAt, ended.length, reply)
    // A refusal after a lost reply may be of an end that the store had accepted: it is no news.
    const refused = isReconciling && this.#isDoubtful ? [] : reply.refused
    publishEnded(ended, refused)
    this.#parts.spans.record(ended, refused)
    if (refused.length > 0) {
      // It has forgotten something, or we have.
      this.#reconcileAt = 0
      noticeRefused(refused)
    }
    publishBuried(reply.buried)
    if (isReconciling || !this.#isDoubtful) this.#failures = 0
    if (isReconciling) {
      this.#isDoubtful = false
      this.#isReconciling = false
      this.#reconcileAt = sentAt + lease
    }
    if (this.#mode === 'closed') return
    for (const id of reply.lost) executor.lose(id)
    for (const id of reply.cancelled) executor.abort(id, jobsError('E_JOB_CANCELLED', 'the job was cancelled'))
    this.#expect(wants, reply.claimed)
    for (const job of reply.claimed) executor.begin(job)
    executor.onBegun()
    this.#next(reply.nextIn)
  }

  /** A queue that gave all that it was asked for has perhaps more. */
  #expect(wants: readonly Want[], claimed: readonly ClaimedJob[]): void {
    const isFull = claimed.length >= this.#parts.work.maxClaim
    for (const { queue, count } of wants) {
      const lane = this.#parts.lanes.of(queue)!
      let got = 0
      for (const job of claimed)
        if (job.queue === queue) {
          got++
          lane.lag = job.waited
        }
      if (got === 0) lane.lag = 0
      lane.isFlowing = isFull || got >= count
      lane.isExpecting = lane.isFlowing || this.#woken.has(queue)
    }
  }

  #fail({ ended, wants, isReconciling, sentAt }: Taken, error: Error): void {
    const { clock, lanes, worker } = this.#parts
    lanes.asked(wants)
    this.#ends = [...ended, ...this.#ends]
    this.#isDoubtful = true
    if (isReconciling) this.#isReconciling = false
    if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'jobs-runner', error })
    if (jobTurn.hasSubscribers) {
      const ms = clock.elapsed() - sentAt
      jobTurn.publish({ worker, ms, ended: ended.length, claimed: 0, refused: 0, error })
    }
    const wait = Math.min(RETRY.first * 2 ** this.#failures++, RETRY.longest)
    this.#setTimer(wait * (1 - 0.2 * Math.random()))
  }

  /** What comes after a turn: the next one at once, or a timer. */
  #next(nextIn: number | undefined): void {
    // A turn that went beside this one has failed, and can be told again only now.
    if (this.#failures > 0) {
      this.#setTimer(RETRY.first)
      return
    }
    const { pollInterval, lease } = this.#parts
    const poll = pollInterval * (1 - 0.2 * Math.random())
    const heartbeat = this.#parts.executor.running.size > 0 ? lease / TURNS_PER_LEASE : Number.POSITIVE_INFINITY
    this.#setTimer(Math.min(poll, heartbeat, Math.max(1, nextIn ?? Number.POSITIVE_INFINITY)))
    this.#plan()
    this.#parts.executor.onSettled()
    this.#settleIdle()
  }

  #setTimer(ms: number): void {
    if (this.#mode === 'closed') return
    this.#cancelTimer()
    this.#cancelTimer = this.#parts.clock.after(Math.ceil(ms), () => {
      this.#parts.lanes.expectAll()
      this.#pump(true)
    })
  }
}

function noticeRefused(refused: readonly string[]): void {
  if (!notice.hasSubscribers) return
  notice.publish({
    source: 'jobs',
    level: 'warn',
    message: `the ends of ${refused.length} attempts came too late: this worker was silent for longer than its lease, and the jobs run elsewhere`,
    fields: { jobIds: refused.slice(0, 10) },
  })
}

function publishTurn(worker: string, ms: number, ended: number, { claimed, refused }: TurnReply): void {
  if (!jobTurn.hasSubscribers) return
  jobTurn.publish({ worker, ms, ended, claimed: claimed.length, refused: refused.length, error: undefined })
}
