import {
  backgroundError,
  type Cancel,
  type Clock,
  type DatabasePoolEvent,
  databasePool,
  notice,
  TailwaterError,
  toError,
} from '@tailwater/core'
import type { PoolStats } from '../database.ts'
import type { Connection, ConnectionOwner } from './connection.ts'
import type { ConnectionSource } from './connection_source.ts'
import { databaseError, withFreshStack } from './failure.ts'
import { HoldRequest, type Waiter } from './hold_request.ts'
import { OverdueWatch } from './overdue_watch.ts'
import { cancelled } from './perform.ts'
import type { StatementRun } from './statement_run.ts'

/**
 * A pool that grows late.
 *
 * A hundred quick statements are done sooner by ten connections than by a hundred that compete for the server's
 * cores, and opening one costs the server a process. So a pool opens up to `min` at once, and beyond that one by one,
 * only while somebody has waited for GROW_AFTER. The most recently used connection is taken
 * first: its backend is warm, and the others may time out.
 *
 * With the server away and no connection left, callers fail at once with the last failure; a probe in the
 * background notices when it is back.
 *
 * Modes: closed; open; away (no connection, probing); closing.
 */
export interface PoolSettings {
  name: string
  min: number
  max: number
  /** Milliseconds a caller waits for a connection. */
  acquireTimeout: number
  /** Milliseconds an idle connection beyond `min` stays open. */
  idleTimeout: number
}

/** Milliseconds: some ten quick statements; less opens connections for a burst that is over before they are. */
const GROW_AFTER = 20
const GROW_FRACTION = 4
const GROW_AT_ONCE = 8
/** Between attempts to reach a server that is away: milliseconds, doubled from the first to the last. */
const FIRST_PROBE = 100
const LAST_PROBE = 1_000
/** What `stop` waits for running work when it is given no deadline; milliseconds. */
const STOP_PATIENCE = 30_000

export class ConnectionPool implements ConnectionSource, ConnectionOwner {
  #settings: PoolSettings
  readonly #open: () => Promise<Connection>
  readonly #clock: Clock
  readonly #all = new Set<Connection>()
  readonly #idle: Connection[] = []
  /** Saying goodbye. */
  readonly #leaving = new Set<Connection>()
  readonly #waiting = new Set<Waiter>()
  readonly #watch: OverdueWatch
  #opening = 0
  #state: 'closed' | 'open' | 'closing' = 'closed'
  #outage: Error | undefined
  #probeDelay = FIRST_PROBE
  #cancelTick: Cancel | undefined
  #cancelReap: Cancel | undefined
  #cancelProbe: Cancel | undefined
  #onEmpty: (() => void) | undefined

  /** @param open opens one connection; its rejections are ready for callers */
  constructor(settings: PoolSettings, open: () => Promise<Connection>, clock: Clock) {
    this.#settings = settings
    this.#open = open
    this.#clock = clock
    this.#watch = new OverdueWatch(clock, this.#all, () => this.#idle.length === this.#all.size)
  }

  run(run: StatementRun): void {
    this.#submit(run)
  }

  async acquire(signal?: AbortSignal): Promise<Connection> {
    try {
      return await this.#hold(signal)
    } catch (error) {
      throw error instanceof TailwaterError ? withFreshStack(error) : error
    }
  }

  #hold(signal: AbortSignal | undefined): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const request = new HoldRequest(resolve, reject)
      if (!signal) return this.#submit(request)
      if (signal.aborted) return reject(cancelled(signal))
      const onAbort = () => {
        request.abandoned = toError(signal.reason)
        request.queue?.delete(request)
        reject(cancelled(signal))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      request.settled = () => signal.removeEventListener('abort', onAbort)
      this.#submit(request)
    })
  }

  release(connection: Connection): void {
    connection.letGo()
  }

  stats(): PoolStats {
    const { min, max } = this.#settings
    return { open: this.#all.size, idle: this.#idle.length, waiting: this.#waiting.size, min, max }
  }

  /** Whether the server could not be reached when it was last tried, and no connection is left. */
  get isAway(): boolean {
    return this.#outage !== undefined && this.#all.size === 0
  }

  /** New limits, from now on. */
  resize(min: number, max: number): void {
    this.#settings = { ...this.#settings, min, max }
  }

  /** Starts without waiting for the server: for one that may be away. */
  startInBackground(): void {
    this.#state = 'open'
    this.#keepWarm()
  }

  /** Opens the first connection; the others follow in the background. */
  async start(): Promise<void> {
    this.#state = 'open'
    this.#outage = undefined
    this.#probeDelay = FIRST_PROBE
    try {
      this.#adopt(await this.#open())
    } catch (error) {
      this.#state = 'closed'
      throw error
    }
    this.#keepWarm()
  }

  async stop(deadline = this.#clock.elapsed() + STOP_PATIENCE): Promise<void> {
    this.#state = 'closing'
    this.#cancelReap?.()
    this.#cancelProbe?.()
    this.#cancelProbe = undefined
    const emptied = Promise.withResolvers<void>()
    this.#onEmpty = emptied.resolve
    const patience = this.#clock.after(Math.max(0, deadline - this.#clock.elapsed()), () => this.#abandonAll())
    this.#closeIdle(0)
    this.#checkEmpty()
    await emptied.promise
    patience()
    this.#cancelTick?.()
    this.#cancelTick = undefined
    this.#state = 'closed'
  }

  onIdle(connection: Connection): void {
    if (!connection.usable) connection.lose(new Error('the connection ended while nobody looked'))
    else if (connection.retired || connection.isInTransaction) this.#discard(connection)
    else if (!this.#giveToNext(connection)) this.#rest(connection)
  }

  /** Not fit to be shared any more. */
  #discard(connection: Connection): void {
    if (!connection.retired) this.#warnOfOpenTransaction()
    this.#leave(connection)
  }

  #leave(connection: Connection): void {
    this.#all.delete(connection)
    this.#leaving.add(connection)
    void connection.end()
  }

  #warnOfOpenTransaction(): void {
    if (!notice.hasSubscribers) return
    const message =
      'a statement left a transaction open on a shared connection, which was closed: BEGIN through query() is lost, use transaction()'
    notice.publish({ source: this.#settings.name, level: 'warn', message })
  }

  #giveToNext(connection: Connection): boolean {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter)
      this.#hand(waiter, connection)
      return true
    }
    return false
  }

  #rest(connection: Connection): void {
    connection.idleSince = this.#clock.elapsed()
    this.#idle.push(connection)
    if (this.#state === 'closing') this.#closeIdle(0)
    else if (this.#all.size > this.#settings.min) this.#reapLater()
  }

  onLost(connection: Connection, error: Error): void {
    if (!this.#leaving.delete(connection) && !this.#all.delete(connection)) return
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    if (connection.isClosing) this.#publish('closed')
    else this.#publish('lost', error)
    this.#checkEmpty()
    this.#keepWarm()
    if (this.#waiting.size > 0) this.#openFor()
  }

  #submit(waiter: Waiter): void {
    if (this.#state !== 'open') {
      waiter.fail(this.#closedError())
      return
    }
    const connection = this.#takeIdle()
    if (connection) this.#hand(waiter, connection)
    else if (this.isAway) waiter.fail(this.#outage)
    else this.#enqueue(waiter)
  }

  #hand(waiter: Waiter, connection: Connection): void {
    this.#watch.wake()
    waiter.take(connection)
  }

  #takeIdle(): Connection | undefined {
    for (let connection = this.#idle.pop(); connection; connection = this.#idle.pop()) {
      if (connection.usable) return connection
      connection.lose(new Error('the connection ended while nobody looked'))
    }
    return undefined
  }

  #enqueue(waiter: Waiter): void {
    waiter.since = this.#clock.elapsed()
    waiter.queue = this.#waiting
    this.#waiting.add(waiter)
    this.#openFor()
    this.#tickLater()
  }

  /** Up to `min`, a connection for each caller that waits. */
  #openFor(): void {
    const { min } = this.#settings
    while (this.#all.size + this.#opening < min && this.#opening < this.#waiting.size) this.#openOne()
    if (this.#all.size + this.#opening === 0) this.#openOne()
  }

  #openOne(): void {
    this.#opening++
    this.#open().then(
      (connection) => {
        this.#opening--
        this.#adopt(connection)
        this.#keepWarm()
      },
      (error: unknown) => {
        this.#opening--
        this.#openFailed(toError(error))
      },
    )
  }

  #adopt(connection: Connection): void {
    this.#outage = undefined
    this.#probeDelay = FIRST_PROBE
    this.#all.add(connection)
    connection.belongTo(this)
    this.#publish('connected')
    this.onIdle(connection)
  }

  #openFailed(error: Error): void {
    if (!this.#outage && backgroundError.hasSubscribers) {
      backgroundError.publish({ source: this.#settings.name, error })
    }
    this.#outage = error
    if (this.#all.size === 0) this.#failWaiting(error)
    this.#checkEmpty()
    this.#probeLater()
  }

  #failWaiting(error: Error): void {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter)
      waiter.fail(error)
    }
  }

  #probeLater(): void {
    if (this.#state !== 'open' || this.#cancelProbe) return
    this.#cancelProbe = this.#clock.after(this.#probeDelay, () => {
      this.#cancelProbe = undefined
      if (this.#state === 'open' && this.#opening === 0) this.#openOne()
    })
    this.#probeDelay = Math.min(this.#probeDelay * 2, LAST_PROBE)
  }

  /** One after the other, so that a start or a recovery is not a stampede of log-ins. */
  #keepWarm(): void {
    if (this.#state !== 'open' || this.#opening > 0 || this.#cancelProbe) return
    if (this.#all.size < this.#settings.min) this.#openOne()
  }

  #tickLater(): void {
    this.#cancelTick ??= this.#clock.after(GROW_AFTER, () => {
      this.#cancelTick = undefined
      this.#tick()
    })
  }

  #tick(): void {
    const now = this.#clock.elapsed()
    for (const waiter of this.#waiting) {
      if (now - waiter.since < this.#settings.acquireTimeout) {
        if (now - waiter.since >= GROW_AFTER) this.#grow()
        break
      }
      this.#waiting.delete(waiter)
      waiter.fail(this.#exhausted())
    }
    if (this.#waiting.size > 0) this.#tickLater()
    else this.#checkEmpty()
  }

  /** A part of those who wait at a time: most find a connection before theirs would be open. */
  #grow(): void {
    if (this.#outage || this.#opening > 0) return
    const room = this.#settings.max - this.#all.size
    const wanted = Math.ceil(this.#waiting.size / GROW_FRACTION)
    for (let opened = 0; opened < Math.min(room, wanted, GROW_AT_ONCE); opened++) this.#openOne()
  }

  #exhausted(): Error {
    const { name, max, acquireTimeout } = this.#settings
    const { open, idle, waiting } = this.stats()
    this.#publish('exhausted')
    return databaseError(
      'E_DATABASE_TIMEOUT',
      `no connection of ${name} came free within ${acquireTimeout} ms: ${open - idle} of at most ${max} are in use and ${waiting + 1} callers wait`,
      { open, idle, waiting, max, acquireTimeout, sent: false },
    )
  }

  #reapLater(): void {
    this.#cancelReap ??= this.#clock.after(this.#settings.idleTimeout, () => {
      this.#cancelReap = undefined
      this.#reap()
    })
  }

  #reap(): void {
    const limit = this.#clock.elapsed() - this.#settings.idleTimeout
    while (this.#all.size > this.#settings.min && this.#idle[0] && this.#idle[0].idleSince <= limit)
      this.#close(this.#idle[0])
    if (this.#all.size > this.#settings.min) this.#reapLater()
  }

  #closeIdle(keep: number): void {
    while (this.#idle.length > keep) this.#close(this.#idle[0]!)
  }

  #close(connection: Connection): void {
    this.#idle.splice(this.#idle.indexOf(connection), 1)
    this.#leave(connection)
  }

  #abandonAll(): void {
    this.#failWaiting(this.#closedError())
    const stopped = databaseError('E_DATABASE_CLOSED', `${this.#settings.name} was stopped`)
    for (const connection of this.#all) connection.lose(stopped)
    this.#checkEmpty()
  }

  #checkEmpty(): void {
    if (this.#state === 'closing' && this.#all.size + this.#leaving.size + this.#opening + this.#waiting.size === 0)
      this.#onEmpty?.()
  }

  #closedError(): Error {
    return databaseError('E_DATABASE_CLOSED', `${this.#settings.name} is not started, or has been stopped`, {
      sent: false,
    })
  }

  #publish(change: DatabasePoolEvent['change'], error?: Error): void {
    if (!databasePool.hasSubscribers) return
    const { open, idle, waiting } = this.stats()
    databasePool.publish({ pool: this.#settings.name, change, open, idle, waiting, ...(error ? { error } : {}) })
  }
}
