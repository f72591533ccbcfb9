import {
  backgroundError,
  type Clock,
  type DatabasePoolEvent,
  databasePool,
  notice,
  TailwaterError,
} from '@tailwater/core'
import type { PoolStats } from '../database.ts'
import { Alarm } from './alarm.ts'
import type { Connection, ConnectionOwner } from './connection.ts'
import type { ConnectionSource } from './connection_source.ts'
import { databaseError, withFreshStack } from './failure.ts'
import { HoldRequest } from './hold_request.ts'
import { Opener, type OpenerListener } from './opener.ts'
import { OverdueWatch } from './overdue_watch.ts'
import { cancelled } from './perform.ts'
import { ReadLane } from './read_lane.ts'
import type { StatementPace } from './statement_pace.ts'
import type { StatementRun } from './statement_run.ts'
import { TurnEnd } from './turn_end.ts'
import { type Waiter, WaitingLine } from './waiting_line.ts'

/** The bounds of a pool. */
export interface PoolSettings {
  name: string
  min: number
  max: number
  /** Milliseconds a caller waits for a connection. */
  acquireTimeout: number
  /** Milliseconds an idle connection beyond `min` stays open. */
  idleTimeout: number
}

/** Milliseconds that somebody waits before the pool grows: while statements are slow, and while they are quick. */
const GROW_AFTER = 20
const GROW_AFTER_QUICK = 100
/** Connections opened for those who wait: one for so many of them, and so many at once. */
const GROW_FRACTION = 4
const GROW_AT_ONCE = 8

/**
 * A pool that grows late.
 *
 * A hundred quick statements are done sooner by ten connections than by a hundred that compete for the server's
 * cores, and each costs the server a process. So a pool opens up to `min` at once, and beyond that a few at a time, only while
 * somebody has waited for GROW_AFTER: or longer, GROW_AFTER_QUICK, when each connection has served somebody in
 * the meantime, because then it is the server's cores that are short, as a rule, and not connections. (With a server far
 * away it is the way there, hence longer and not for ever.) The most recently used connection is taken first: its backend is
 * warm, and the others may time out.
 *
 * With the server away and no connection left, callers fail at once with the last failure; a probe in the
 * background notices when it is back.
 *
 * Modes: closed; open; away (open, without a connection, probing); closing.
 */
export class ConnectionPool implements ConnectionSource, ConnectionOwner, OpenerListener {
  #settings: PoolSettings
  readonly #clock: Clock
  readonly #opener: Opener
  readonly #line = new WaitingLine()
  readonly #lane = new ReadLane()
  readonly #all = new Set<Connection>()
  readonly #idle: Connection[] = []
  /** Saying goodbye. */
  readonly #leaving = new Set<Connection>()
  readonly #watch: OverdueWatch
  readonly #tick: Alarm
  readonly #reap: Alarm
  /** Quick reads are served together, when all of a turn have come. */
  readonly #gathering = new TurnEnd(() => this.#serveLane())
  #state: 'closed' | 'open' | 'closing' = 'closed'
  /** Callers given a connection since the line was last attended to. */
  #served = 0
  #onEmpty: (() => void) | undefined

  /** @param open opens one connection; its rejections are ready for callers */
  constructor(settings: PoolSettings, open: () => Promise<Connection>, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
    this.#opener = new Opener(open, clock, this)
    this.#watch = new OverdueWatch(clock, this.#all, () => this.#idle.length === this.#all.size)
    this.#tick = new Alarm(clock, () => this.#attendToLine())
    this.#reap = new Alarm(clock, () => this.#closeUnused())
  }

  run(run: StatementRun): void {
    this.#submit(run)
  }

  async acquire(signal?: AbortSignal): Promise<Connection> {
    if (signal?.aborted) throw cancelled(signal)
    const request = new HoldRequest(signal)
    this.#submit(request)
    try {
      return await request.connection
    } catch (error) {
      throw error instanceof TailwaterError ? withFreshStack(error) : error
    }
  }

  release(connection: Connection): void {
    connection.letGo()
  }

  stats(): PoolStats {
    const { min, max } = this.#settings
    return { open: this.#all.size, idle: this.#idle.length, waiting: this.#waiting, min, max }
  }

  get pace(): StatementPace {
    return this.#lane.pace
  }

  get #waiting(): number {
    return this.#line.size + this.#lane.line.size
  }

  /** Whether the server could not be reached when it was last tried, and no connection is left. */
  get isAway(): boolean {
    return this.#opener.outage !== undefined && this.#all.size === 0
  }

  /** New limits, from now on. */
  resize(min: number, max: number): void {
    this.#settings = { ...this.#settings, min, max }
  }

  /** Opens the first connection; the others follow in the background. */
  async start(): Promise<void> {
    this.#state = 'open'
    try {
      this.#adopt(await this.#opener.openFirst())
    } catch (error) {
      this.#state = 'closed'
      throw error
    }
    this.#keepWarm()
  }

  /** Starts without waiting for the server: for one that may be away. */
  startInBackground(): void {
    this.#state = 'open'
    this.#keepWarm()
  }

  async stop(deadline: number): Promise<void> {
    this.#state = 'closing'
    this.#reap.clear()
    this.#opener.rest()
    const emptied = Promise.withResolvers<void>()
    this.#onEmpty = emptied.resolve
    const patience = new Alarm(this.#clock, () => this.#abandonAll())
    patience.set(Math.max(0, deadline - this.#clock.elapsed()))
    this.#serveLane()
    while (this.#idle[0]) this.#close(this.#idle[0])
    this.#checkEmpty()
    await emptied.promise
    patience.clear()
    this.#tick.clear()
    this.#state = 'closed'
  }

  onIdle(connection: Connection): void {
    this.#lane.release(connection)
    if (!connection.usable) connection.lose(unnoticed())
    else if (connection.retired) this.#leave(connection)
    else if (connection.isInTransaction) this.#closeOpenTransaction(connection)
    else this.#offer(connection)
  }

  onLost(connection: Connection, error: Error): void {
    if (!this.#leaving.delete(connection) && !this.#all.delete(connection)) return
    this.#lane.release(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (connection.isClosing) this.#publish('closed')
    else this.#publish('lost', error)
    this.#checkEmpty()
    this.#keepWarm()
    if (this.#waiting > 0) this.#openForLine()
    this.#serveLane()
  }

  onOpened(connection: Connection): void {
    this.#adopt(connection)
    this.#keepWarm()
  }

  onFailed(error: Error, isFirst: boolean): void {
    if (isFirst && backgroundError.hasSubscribers) backgroundError.publish({ source: this.#settings.name, error })
    if (this.#all.size === 0) this.#failAll(error)
    if (this.#state !== 'open') this.#opener.rest()
    this.#checkEmpty()
  }

  #adopt(connection: Connection): void {
    connection.belongTo(this)
    if (this.#state === 'closed') {
      this.#leave(connection)
      return
    }
    this.#all.add(connection)
    this.#publish('connected')
    this.onIdle(connection)
  }

  #submit(waiter: Waiter): void {
    if (this.#state !== 'open') {
      waiter.fail(this.#closedError())
      return
    }
    const isQuickRead = this.#lane.takes(waiter)
    const connection = isQuickRead ? undefined : this.#takeIdle()
    if (connection) this.#hand(waiter, connection)
    else if (this.isAway) waiter.fail(this.#opener.outage)
    else this.#queue(waiter, isQuickRead ? this.#lane.line : this.#line)
    if (isQuickRead) this.#gathering.set()
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.usable) return connection
      connection.lose(unnoticed())
    }
    return undefined
  }

  #queue(waiter: Waiter, line: WaitingLine): void {
    line.join(waiter, this.#clock.elapsed())
    this.#openForLine()
    if (this.#tick.isSet) return
    this.#served = 0
    this.#tick.set(GROW_AFTER)
  }

  /** For a connection that has come free: more quick reads may come in this turn, so that they wait for its end when nobody else does. */
  #offer(connection: Connection): void {
    if (this.#state !== 'open' || this.#lane.line.size === 0 || this.#line.size > 0) this.#giveToNext(connection)
    else {
      this.#rest(connection)
      this.#gathering.set()
    }
  }

  #giveToNext(connection: Connection): void {
    const isLanesTurn = this.#lane.line.since <= this.#line.since && this.#lane.hasRoom(this.#settings.min)
    const reads = isLanesTurn ? this.#lane.next(connection, this.#settings.min) : []
    if (reads.length > 0) {
      this.#carry(reads, connection)
      return
    }
    const waiter = this.#line.next()
    if (waiter) this.#hand(waiter, connection)
    else this.#rest(connection)
  }

  #carry(reads: readonly StatementRun[], connection: Connection): void {
    this.#served += reads.length
    this.#watch.wake()
    this.#lane.carry(reads, connection)
  }

  /** Reads wait for a carrier to come back; when it does not, others take its place. */
  #serveLane(): void {
    while (this.#lane.line.size > 0 && this.#lane.hasRoom(this.#settings.min)) {
      const connection = this.#takeIdle()
      if (!connection) return
      this.#giveToNext(connection)
    }
  }

  #hand(waiter: Waiter, connection: Connection): void {
    this.#served++
    this.#watch.wake()
    waiter.take(connection)
  }

  #rest(connection: Connection): void {
    connection.idleSince = this.#clock.elapsed()
    this.#idle.push(connection)
    if (this.#state === 'closing') this.#close(connection)
    else if (this.#all.size > this.#settings.min) this.#reap.set(this.#settings.idleTimeout)
  }

  /** Up to `min`, a connection for each caller that waits; one at least. */
  #openForLine(): void {
    const { min } = this.#settings
    const opener = this.#opener
    while (this.#all.size + opener.opening < min && opener.opening < this.#waiting) opener.open()
    if (this.#all.size + opener.opening === 0) opener.open()
  }

  /** One after the other, so that a start or a recovery is not a stampede of log-ins. */
  #keepWarm(): void {
    if (this.#state !== 'open' || this.#opener.opening > 0 || this.#opener.isProbing) return
    if (this.#all.size < this.#settings.min) this.#opener.open()
  }

  #attendToLine(): void {
    const now = this.#clock.elapsed()
    for (const line of [this.#line, this.#lane.line])
      while (line.hasWaitedSince(now - this.#settings.acquireTimeout)) {
        const error = this.#exhausted()
        line.next()!.fail(error)
      }
    this.#serveLane()
    const patience = this.#served >= this.#all.size ? GROW_AFTER_QUICK : GROW_AFTER
    this.#served = 0
    if (this.#isShortSince(now - patience)) this.#grow()
    if (this.#waiting > 0) this.#tick.set(GROW_AFTER)
    else this.#checkEmpty()
  }

  /** Whether more connections would help somebody: quick reads that wait for their carriers have connections enough. */
  #isShortSince(time: number): boolean {
    if (this.#line.hasWaitedSince(time)) return true
    return this.#lane.line.hasWaitedSince(time) && this.#lane.hasRoom(this.#settings.min)
  }

  /** For a part of those who wait: most find a connection before theirs would be open. */
  #grow(): void {
    if (this.#opener.outage || this.#opener.opening > 0) return
    const room = this.#settings.max - this.#all.size
    const wanted = Math.ceil(this.#waiting / GROW_FRACTION)
    for (let opened = 0; opened < Math.min(room, wanted, GROW_AT_ONCE); opened++) this.#opener.open()
  }

  #closeUnused(): void {
    const { min, idleTimeout } = this.#settings
    const limit = this.#clock.elapsed() - idleTimeout
    while (this.#all.size > min && this.#idle[0] && this.#idle[0].idleSince <= limit) this.#close(this.#idle[0])
    if (this.#all.size > min) this.#reap.set(idleTimeout)
  }

  #close(connection: Connection): void {
    this.#idle.splice(this.#idle.indexOf(connection), 1)
    this.#leave(connection)
  }

  #closeOpenTransaction(connection: Connection): void {
    this.#leave(connection)
    if (!notice.hasSubscribers) return
    const message =
      'a statement left a transaction open on a shared connection, which was closed: BEGIN through query() is lost, use transaction()'
    notice.publish({ source: this.#settings.name, level: 'warn', message })
  }

  #leave(connection: Connection): void {
    this.#all.delete(connection)
    this.#leaving.add(connection)
    void connection.end()
  }

  /** An attempt to connect that is still under way closes its connection when it has one. */
  #abandonAll(): void {
    this.#failAll(this.#closedError())
    const stopped = databaseError('E_DATABASE_CLOSED', `${this.#settings.name} was stopped`)
    for (const connection of this.#all) connection.lose(stopped)
    this.#onEmpty?.()
  }

  #failAll(error: Error): void {
    this.#line.failAll(error)
    this.#lane.line.failAll(error)
  }

  #checkEmpty(): void {
    const left = this.#all.size + this.#leaving.size + this.#opener.opening + this.#waiting
    if (this.#state === 'closing' && left === 0) this.#onEmpty?.()
  }

  #exhausted(): Error {
    const { name, max, acquireTimeout } = this.#settings
    const { open, idle, waiting } = this.stats()
    this.#publish('exhausted')
    const message = `no connection of ${name} came free within ${acquireTimeout} ms: ${open - idle} of at most ${max} are in use and ${waiting} callers wait`
    return databaseError('E_DATABASE_TIMEOUT', message, { open, idle, waiting, max, acquireTimeout, sent: false })
  }

  #closedError(): Error {
    const message = `${this.#settings.name} is not started, or has been stopped`
    return databaseError('E_DATABASE_CLOSED', message, { sent: false })
  }

  #publish(change: DatabasePoolEvent['change'], error?: Error): void {
    if (!databasePool.hasSubscribers) return
    const { open, idle, waiting } = this.stats()
    databasePool.publish({ pool: this.#settings.name, change, open, idle, waiting, ...(error ? { error } : {}) })
  }
}

const unnoticed = () => new Error('the connection ended while nobody looked')
