import { backgroundError, type Cancel, type Clock, runOutsideContext, toError } from '@tailwater/core'
import type { ClaimedJob, InspectPort, JobEnd, TurnReply, WorkPort } from '@tailwater/jobs'
import type { Consumer, Delivery, Settlement } from '../../backend/consume_port.ts'
import { attemptsSoFar } from '../../message.ts'
import { untilDeadline } from './deadline.ts'
import { publishDeath } from './death_event.ts'
import { Held, lostError } from './held.ts'
import { decodeHistory, encodeHistory } from './history.ts'
import { type SharingLevel, sharePlaces } from './level_share.ts'
import { decodeMessage } from './message_job.ts'
import type { LevelQueue } from './queue_name.ts'
import { endOf } from './settling.ts'

/** Turns in one lease while messages are held: two may fail before this consumer is taken for dead. */
const TURNS_PER_LEASE = 3
/** Milliseconds before a turn that failed is taken again, and at most; doubling in between. */
const RETRY = { first: 100, longest: 5_000 }
/** Milliseconds in which what is held is given back at the end; if the store does not answer, the lease ends by itself. */
const GIVE_BACK_TIME = 1_000
/** Milliseconds before a message whose history could not be read is given again. */
const UNREAD_DELAY = 1_000

/** What a consumer is made of. */
export interface ConsumerParts {
  readonly work: WorkPort
  readonly inspect: InspectPort
  readonly clock: Clock
  /** Names it in the store: one consumer is one worker. */
  readonly worker: string
  /** Milliseconds. */
  readonly lease: number
  readonly pollInterval: number
  readonly subscription: string
  /** What it consumes, as it was declared when it began. */
  readonly spec: () => { readonly ttl: number | undefined; readonly maxCrashes: number }
  readonly queues: readonly LevelQueue[]
  readonly onDelivery: (delivery: Delivery) => void
  readonly onStopped: () => void
}

interface Ending {
  end: JobEnd
  resolve(): void
  reject(error: Error): void
}

/**
 * Takes messages of one subscription: a worker of the jobs' store whose jobs are settled by hand.
 *
 * In one round trip, its turn, it tells what was settled, renews its lease, and claims for the places that are free.
 *
 * Modes: *open*; *paused*: settles and holds, claims nothing; *stopping*: the same, until nothing is held; *closed*.
 * One turn is under way at a time; what is settled meanwhile goes with the next. A turn that failed is taken again with the same ends and with all that we
 * believe we hold (`reconcile`), because its reply may have been lost.
 */
export class ConsumerLoop implements Consumer {
  readonly #parts: ConsumerParts
  readonly #levels: (SharingLevel & LevelQueue)[]
  readonly #held = new Map<string, Held>()
  #prefetch: number
  #mode: 'open' | 'paused' | 'stopping' | 'closed' = 'open'
  #ends: Ending[] = []
  #woken = new Set<string>()
  #isPlanned = false
  #turn: Promise<void> | undefined
  #cancelTimer: Cancel = () => {}
  #failures = 0
  #isDoubtful = false
  /** Reading of the clock until which the lease surely holds. */
  #leaseUntil = 0
  #onIdle: (() => void)[] = []

  constructor(parts: ConsumerParts, prefetch: number) {
    this.#parts = parts
    this.#prefetch = prefetch
    this.#levels = parts.queues.map((level) => ({ ...level, isExpecting: true, credit: 0 }))
    this.#plan()
  }

  /** There may be messages in a queue. */
  wake(queue: string): void {
    const level = this.#levels.find((one) => one.queue === queue)
    if (!level) return
    this.#woken.add(queue)
    level.isExpecting = true
    this.#plan()
  }

  async setPrefetch(count: number): Promise<void> {
    this.#prefetch = count
    this.#plan()
  }

  async pause(): Promise<void> {
    if (this.#mode !== 'open') return
    this.#mode = 'paused'
    await this.#turn
  }

  async resume(): Promise<void> {
    if (this.#mode !== 'paused') return
    this.#mode = 'open'
    this.#expectAll()
    this.#plan()
  }

  async stop(deadline?: number): Promise<void> {
    if (this.#mode === 'closed') return
    const { clock, work, worker, onStopped } = this.#parts
    this.#mode = 'stopping'
    await untilDeadline(clock, deadline, this.#idle())
    if (this.#mode !== 'stopping') return
    this.#mode = 'closed'
    this.#cancelTimer()
    onStopped()
    for (const held of this.#held.values()) held.lose()
    this.#held.clear()
    const soon = clock.elapsed() + GIVE_BACK_TIME
    await untilDeadline(clock, soon, this.#turn ?? Promise.resolve())
    for (const { end, reject } of this.#ends.splice(0)) reject(unsaid(end.id))
    await untilDeadline(clock, soon, work.leave(worker))
  }

  /** Resolves when nothing is held and everything is told. */
  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle.push(resolve)
      this.#settleIdle()
    })
  }

  #settleIdle(): void {
    if (this.#turn || this.#ends.length > 0 || this.#held.size > 0) return
    for (const resolve of this.#onIdle.splice(0)) resolve()
  }

  #settle(held: Held, settlement: Settlement): Promise<void> {
    this.#held.delete(held.job.id)
    return this.#tell(endOf(held, settlement))
  }

  #tell(end: JobEnd): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ends.push({ end, resolve, reject })
      this.#plan()
    })
  }

  get #free(): number {
    return this.#mode === 'open' ? Math.max(0, this.#prefetch - this.#held.size) : 0
  }

  get #isHungry(): boolean {
    return this.#free > 0 && this.#levels.some(({ isExpecting }) => isExpecting)
  }

  #expectAll(): void {
    for (const level of this.#levels) level.isExpecting = true
  }

  #plan(): void {
    if (this.#isPlanned || this.#turn || this.#failures > 0 || this.#mode === 'closed') return
    this.#isPlanned = true
    // After the promises of this tick: what handlers settle together goes in one turn.
    process.nextTick(() => {
      this.#isPlanned = false
      this.#pump()
    })
  }

  #pump(isDue = false): void {
    if (this.#turn || this.#mode === 'closed') return
    if (this.#ends.length === 0 && !this.#isHungry && !(isDue && this.#held.size > 0)) {
      if (isDue) this.#next(undefined)
      return
    }
    this.#cancelTimer()
    this.#turn = runOutsideContext(() => this.#take())
  }

  async #take(): Promise<void> {
    const { clock, work, worker, lease } = this.#parts
    const told = this.#ends
    this.#ends = []
    this.#woken.clear()
    const shares = sharePlaces(this.#levels, Math.min(this.#free, work.maxClaim))
    const wants = this.#levels.map(({ queue }, index) => ({ queue, count: shares[index]! }))
    const sentAt = clock.elapsed()
    const isLate = this.#held.size > 0 && sentAt > this.#leaseUntil
    const reconcile = this.#isDoubtful || isLate ? [...this.#held.keys()] : undefined
    try {
      const ends = told.map(({ end }) => end)
      const reply = await work.turn({ worker, lease, ends, wants, ...(reconcile && { reconcile }) })
      this.#leaseUntil = sentAt + lease
      this.#receive(told, wants, reply)
    } catch (error) {
      this.#fail(told, error)
    }
  }

  #receive(told: readonly Ending[], wants: readonly { queue: string; count: number }[], reply: TurnReply): void {
    // After a lost reply the store may have accepted what it refuses now.
    const refused = new Set(this.#isDoubtful ? [] : reply.refused)
    for (const { end, resolve, reject } of told)
      if (refused.has(end.id)) reject(unsaid(end.id))
      else resolve()
    this.#failures = 0
    this.#isDoubtful = false
    this.#turn = undefined
    if (this.#mode === 'closed') return
    for (const id of reply.lost) this.#lose(id)
    this.#expect(wants, reply.claimed)
    for (const job of reply.claimed) this.#begin(job)
    for (const job of reply.buried) publishDeath(this.#parts.subscription, job, 'poison')
    this.#next(reply.nextIn)
  }

  /** A queue that gave all that it was asked for has perhaps more. */
  #expect(wants: readonly { queue: string; count: number }[], claimed: readonly ClaimedJob[]): void {
    for (const [index, { queue, count }] of wants.entries()) {
      if (count === 0) continue
      const got = this.#levels.length === 1 ? claimed.length : claimed.filter((job) => job.queue === queue).length
      this.#levels[index]!.isExpecting = got >= count || this.#woken.has(queue)
    }
  }

  #lose(id: string): void {
    this.#held.get(id)?.lose()
    this.#held.delete(id)
  }

  #begin(job: ClaimedJob): void {
    // Given again by a reconciling turn, or rescued from ourselves.
    this.#lose(job.id)
    const { ttl } = this.#parts.spec()
    const { id, attempt } = job
    if (ttl !== undefined && attempt === 1 && job.waited > ttl) {
      void this.#tell({ id, attempt, outcome: 'completed', result: undefined }).catch(() => undefined)
      return
    }
    let held: Held
    try {
      const settle = (one: Held, settlement: Settlement) => this.#settle(one, settlement)
      held = new Held(job, decodeMessage(job), this.#parts.clock.now() - job.waited, settle)
    } catch {
      const error = encodeHistory('foreign', [])
      const told = () => publishDeath(this.#parts.subscription, job, 'foreign')
      void this.#tell({ id, attempt, outcome: 'dead', error }).then(told, () => undefined)
      return
    }
    this.#held.set(id, held)
    if (attempt === 1) this.#give(held)
    else void this.#giveAgain(held)
  }

  #give(held: Held): void {
    try {
      this.#parts.onDelivery(held)
    } catch (error) {
      report(error)
    }
  }

  /** One that was tried, or crashed, before: its history says which. */
  async #giveAgain(held: Held): Promise<void> {
    const { id, attempt } = held.job
    try {
      const { notes } = decodeHistory((await this.#parts.inspect.get(id))?.error)
      if (held.isOver) return
      held.notes = notes.filter((note) => note.attempt < attempt)
      const crashes = attempt - 1 - attemptsSoFar(held.notes)
      held.isRedelivered = crashes > 0
      if (crashes <= this.#parts.spec().maxCrashes) this.#give(held)
      else {
        await held.settle({ type: 'dead', reason: 'poison', note: undefined })
        publishDeath(this.#parts.subscription, held.job, 'poison')
      }
    } catch (error) {
      report(error)
      if (held.isOver) return
      held.isOver = true
      this.#held.delete(id)
      void this.#tell({ id, attempt, outcome: 'snoozed', delay: UNREAD_DELAY }).catch(() => undefined)
    }
  }

  #fail(told: readonly Ending[], error: unknown): void {
    this.#ends = [...told, ...this.#ends]
    this.#isDoubtful = true
    this.#turn = undefined
    report(error)
    if (this.#mode === 'closed') {
      for (const { end, reject } of this.#ends.splice(0)) reject(unsaid(end.id))
      return
    }
    const wait = Math.min(RETRY.first * 2 ** this.#failures++, RETRY.longest)
    this.#setTimer(wait * (1 - 0.2 * Math.random()))
  }

  /** What comes after a turn: the next one at once, or a timer. */
  #next(nextIn: number | undefined): void {
    const { pollInterval, lease } = this.#parts
    const poll = pollInterval * (1 - 0.2 * Math.random())
    const heartbeat = this.#held.size > 0 ? lease / TURNS_PER_LEASE : Number.POSITIVE_INFINITY
    this.#setTimer(Math.min(poll, heartbeat, Math.max(1, nextIn ?? Number.POSITIVE_INFINITY)))
    if (this.#ends.length > 0 || this.#isHungry) this.#plan()
    this.#settleIdle()
  }

  #setTimer(ms: number): void {
    if (this.#mode === 'closed') return
    this.#cancelTimer()
    this.#cancelTimer = this.#parts.clock.after(Math.ceil(ms), () => {
      this.#expectAll()
      this.#pump(true)
    })
  }
}

function report(error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging-consumer', error: toError(error) })
}

const unsaid = (jobId: string) => lostError({ id: jobId, topic: 'its job' })
