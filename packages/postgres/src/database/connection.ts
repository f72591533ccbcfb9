import { type Clock, databaseQuery, toError } from '@tailwater/core'
import type pg from 'pg'
import { cancelRequest } from './cancel_request.ts'
import { endsConnection } from './failure.ts'
import { publishQuery } from './query_event.ts'
import { type BatchHost, StatementBatch } from './statement_batch.ts'
import type { StatementPace } from './statement_pace.ts'
import type { RunHost, StatementRun } from './statement_run.ts'
import type { WireHandler } from './wire.ts'

/** How long a cancelled statement may go on before its connection is given up; milliseconds. */
const CANCEL_PATIENCE = 5_000

/** How long a goodbye may take; milliseconds. */
const CLOSE_PATIENCE = 1_000

/** What a connection tells whoever keeps it. */
export interface ConnectionOwner {
  /** Told how long named statements take. */
  readonly pace?: StatementPace
  /** Nothing more to run, and not held by anybody. */
  onIdle(connection: Connection): void
  /** Gone, for this reason. */
  onLost(connection: Connection, error: Error): void
}

/** How statements reach the server over a connection. */
export interface ConnectionTraits {
  target: 'primary' | 'replica'
  /** False through a transaction pooler: a name would be known to another connection. */
  named: boolean
}

/** What can run over its limit. */
type Running = StatementRun | StatementBatch

/**
 * One connection to the server: runs one statement after the other.
 *
 * Modes: idle; running (a statement, several reads together, or something that speaks the protocol itself, such as COPY); cancelling (the statement has been given
 * up, the server asked to stop it, and the next waits until a cancellation can no longer hit it); lost.
 */
export class Connection implements RunHost, BatchHost {
  readonly client: pg.Client
  readonly #traits: ConnectionTraits
  readonly #clock: Clock
  readonly #queue: StatementRun[] = []
  #owner: ConnectionOwner | undefined
  #running: Running | undefined
  #exclusive = false
  #cancelling: Promise<void> | undefined
  /** Held by a transaction, a session or a COPY, which says when it is done. */
  held = false
  lost: Error | undefined
  /** Resolves when it is lost or closed. */
  readonly ended: Promise<void>
  readonly #onEnded: () => void
  /** Lost by our own choice. */
  isClosing = false
  /** Why it is closed at its next rest. */
  retired: Error | undefined
  /** When it last became idle. */
  idleSince = 0

  constructor(client: pg.Client, traits: ConnectionTraits, clock: Clock) {
    this.client = client
    this.#traits = traits
    this.#clock = clock
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ended = promise
    this.#onEnded = resolve
    client.on('error', (error) => this.lose(error))
    client.on('end', () => this.lose(new Error('the server closed the connection')))
  }

  /** Set by whoever keeps it. */
  belongTo(owner: ConnectionOwner): void {
    this.#owner = owner
  }

  /** False for a connection whose socket has gone while nobody looked. */
  get usable(): boolean {
    const { stream } = this.client.connection
    return this.lost === undefined && stream.writable && !stream.readableEnded
  }

  get target(): 'primary' | 'replica' {
    return this.#traits.target
  }

  get #busy(): boolean {
    return this.#running !== undefined || this.#exclusive || this.#cancelling !== undefined
  }

  /** Runs a statement, after those before it. */
  run(run: StatementRun): void {
    run.connection = this
    if (this.lost) run.fail(this.lost)
    else if (this.#busy) this.#queue.push(run)
    else this.#send(run)
  }

  /** Runs reads together, on a connection at rest that knows them all. */
  runTogether(runs: readonly [StatementRun, ...StatementRun[]]): void {
    for (const run of runs) run.connection = this
    const batch = new StatementBatch(runs, this)
    this.#running = batch
    this.client.query(batch as WireHandler as unknown as pg.Submittable)
  }

  /** A statement reports that it is being sent. */
  started(run: StatementRun): void {
    run.startedAt = this.#clock.elapsed()
  }

  /** A statement reports its end. */
  finished(run: StatementRun, error: Error | undefined, rows: number): void {
    if (run.sent) run.elapsed = this.#clock.elapsed() - run.startedAt
    if (run.sent && databaseQuery.hasSubscribers) publishQuery(run, this.#traits.target, error, rows)
    if (run.sent && run.name !== undefined && !error) this.#owner?.pace?.note(run.name, run.elapsed / this.#sharers)
    this.#settled(run, error)
  }

  /** A batch reports its end. */
  batchEnded(batch: StatementBatch, error: Error | undefined): void {
    this.#settled(batch, error)
  }

  #settled(running: Running, error: Error | undefined): void {
    if (error && endsConnection(error)) this.lose(error)
    if (this.#running !== running) return
    this.#running = undefined
    if (this.#cancelling) void this.#recover(this.#cancelling)
    else this.#next()
  }

  /** How many statements are under way. */
  get #sharers(): number {
    return this.#running instanceof StatementBatch ? this.#running.size : 1
  }

  /** Asks the server to stop `run`, if it is the one running; a waiting one is skipped when its turn comes, and one among others is left to end. */
  cancel(run: Running): void {
    if (this.#running !== run || this.#cancelling || this.lost) return
    // If the request cannot be made, patience runs out and the connection goes.
    this.#cancelling = cancelRequest(this.client, this.#clock, CANCEL_PATIENCE).catch(() => {})
    this.#clock.after(CANCEL_PATIENCE, () => {
      if (this.#running === run) this.lose(new Error('a cancelled statement did not end'))
    })
  }

  /** Gives up a statement that has taken longer than it may; for a pool that looks from time to time. */
  endOverdue(now: number, reason: (run: Running) => Error): void {
    const run = this.#running
    if (run?.sent && run.limit > 0 && now - run.startedAt > run.limit) run.abandon(reason(run))
  }

  /** Settles with `reason` whatever runs or waits. */
  interrupt(reason: Error): void {
    for (const run of this.#queue.splice(0)) run.abandon(reason)
    this.#running?.abandon(reason)
  }

  /** Gives the connection up, whatever it does. */
  lose(error: Error): void {
    if (this.lost) return
    this.lost = error
    this.client.connection.stream.destroy()
    for (const run of this.#queue.splice(0)) run.handleError(error)
    this.#onEnded()
    this.#owner?.onLost(this, error)
  }

  /** Whether `error`, told to a statement, is the connection's end. */
  isLostBy(error: Error): boolean {
    return this.lost !== undefined || !this.usable || endsConnection(error)
  }

  /** Closes it at its next rest. */
  retire(reason: Error): void {
    this.retired ??= reason
  }

  /** Closes an idle connection with a goodbye. */
  async end(): Promise<void> {
    if (this.lost) return
    this.lost = new Error('the connection was closed')
    this.isClosing = true
    this.#onEnded()
    const patience = this.#clock.after(CLOSE_PATIENCE, () => this.client.connection.stream.destroy())
    await this.client.end()
    patience()
    this.#owner?.onLost(this, this.lost)
  }

  /** Ends the holding. */
  letGo(): void {
    this.held = false
    if (!this.#busy && !this.lost) this.#owner?.onIdle(this)
  }

  /** Hands the bare client to something that speaks the protocol itself; statements wait meanwhile. */
  async exclusive<T>(body: (client: pg.Client) => Promise<T>): Promise<T> {
    if (this.lost) throw this.lost
    this.#exclusive = true
    try {
      return await body(this.client)
    } catch (error) {
      if (endsConnection(error)) this.lose(toError(error))
      throw error
    } finally {
      this.#exclusive = false
      this.#next()
    }
  }

  /** Whether a transaction is open that nobody of ours has begun, so that the connection must not be shared. */
  get isInTransaction(): boolean {
    const status = this.client.getTransactionStatus?.()
    return status === 'T' || status === 'E'
  }

  #send(run: StatementRun): void {
    this.#running = run
    if (!this.#traits.named) run.name = undefined
    this.client.query(run as WireHandler as unknown as pg.Submittable)
  }

  /** The cancellation may still be on its way: it must hit nothing but an empty statement. */
  async #recover(asked: Promise<void>): Promise<void> {
    await asked
    await new Promise<void>((resolve) => void this.client.query(';', () => resolve()))
    this.#cancelling = undefined
    this.#next()
  }

  #next(): void {
    if (this.#busy || this.lost) return
    let run = this.#queue.shift()
    while (run?.abandoned) run = this.#queue.shift()
    if (run) this.#send(run)
    else if (!this.held) this.#owner?.onIdle(this)
  }
}
