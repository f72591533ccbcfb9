import { type Clock, databaseQuery, toError } from '@tailwater/core'
import type pg from 'pg'
import { cancelRequest } from './cancel_request.ts'
import { endsConnection } from './failure.ts'
import { publishQuery } from './query_event.ts'
import { type ServerResult, StatementRun } from './statement_run.ts'

/** How long a cancelled statement may go on before its connection is given up; milliseconds. */
const CANCEL_PATIENCE = 5_000

/** What a connection tells its owner. */
export interface ConnectionOwner {
  /** Nothing more to run, and not held by anybody. */
  onIdle(connection: Connection): void
  /** Gone, for this reason. */
  onLost(connection: Connection, error: Error): void
}

/**
 * One connection to the server: runs one statement after the other.
 *
 * Modes: idle; running; cancelling (the statement has been given up, the server asked to stop it, and the
 * next waits until a cancellation can no longer hit it); lost.
 */
export class Connection {
  readonly client: pg.Client
  readonly target: 'primary' | 'replica'
  readonly #clock: Clock
  readonly #named: boolean
  readonly #queue: StatementRun[] = []
  #owner: ConnectionOwner | undefined
  #running: StatementRun | undefined
  #cancelling: Promise<void> | undefined
  /** Held by a transaction, a session or a COPY, which says when it is done. */
  held = false
  lost: Error | undefined
  /** When it last became idle. */
  idleSince = 0

  constructor(client: pg.Client, target: 'primary' | 'replica', clock: Clock, named: boolean) {
    this.client = client
    this.target = target
    this.#clock = clock
    this.#named = named
    client.on('error', (error) => this.lose(error))
    client.on('end', () => this.lose(new Error('the server closed the connection')))
  }

  /** Set once, by whoever keeps it. */
  belongTo(owner: ConnectionOwner): void {
    this.#owner = owner
  }

  /** False for a connection whose socket has gone while nobody looked. */
  get usable(): boolean {
    const { stream } = this.client.connection
    return this.lost === undefined && stream.writable && !stream.readableEnded
  }

  /** Runs a statement, after those before it. */
  execute(run: StatementRun): void {
    if (this.lost) run.reject(this.lost)
    else if (this.#running || this.#cancelling) this.#queue.push(run)
    else this.#send(run)
  }

  /** Runs a statement of our own. */
  run(text: string): Promise<ServerResult> {
    const run = new StatementRun(text, undefined)
    this.execute(run)
    return run.result
  }

  /** Asks the server to stop `run`, if it is the one running; a waiting one is dropped. */
  cancel(run: StatementRun): void {
    if (this.#running !== run || this.#cancelling) return
    const asked = cancelRequest(this.client).catch(() => {})
    this.#cancelling = asked
    this.#clock.after(CANCEL_PATIENCE, () => {
      if (this.#running === run) this.lose(new Error('a cancelled statement did not end'))
    })
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
    this.#owner?.onLost(this, error)
  }

  /** Closes an idle connection with a goodbye. */
  async end(): Promise<void> {
    this.lost ??= new Error('the connection was closed')
    await this.client.end()
  }

  #send(run: StatementRun): void {
    this.#running = run
    run.connection = this
    run.startedAt = this.#clock.elapsed()
    const query: pg.QueryConfig = { text: run.text }
    if (run.values) query.values = run.values as unknown[]
    if (run.name !== undefined && this.#named) query.name = run.name
    void this.client.query(query, (error: Error | null, result: pg.QueryResult) => this.#finish(run, error, result))
  }

  #finish(run: StatementRun, error: Error | null, result: pg.QueryResult | pg.QueryResult[]): void {
    run.elapsed = this.#clock.elapsed() - run.startedAt
    const last = Array.isArray(result) ? result.at(-1)! : result
    if (databaseQuery.hasSubscribers) publishQuery(run, this.target, error, last?.rowCount ?? last?.rows.length ?? 0)
    if (error && endsConnection(error)) this.lose(error)
    if (error) run.reject(error)
    else run.resolve(last as ServerResult)
    this.#running = undefined
    if (this.#cancelling) void this.#recover(this.#cancelling)
    else this.#next()
  }

  /** The cancellation may still be on its way: it must hit nothing but an empty statement. */
  async #recover(asked: Promise<void>): Promise<void> {
    await asked
    await new Promise<void>((resolve) => this.client.query(';', () => resolve()))
    this.#cancelling = undefined
    this.#next()
  }

  #next(): void {
    if (this.lost) {
      for (const run of this.#queue.splice(0)) run.reject(this.lost)
      return
    }
    let run = this.#queue.shift()
    while (run?.abandoned) run = this.#queue.shift()
    if (run) this.#send(run)
    else if (!this.held) this.#owner?.onIdle(this)
  }

  /** Ends the holding; true when nothing runs, so that it can be given to the next at once. */
  letGo(): void {
    this.held = false
    if (!this.#running && !this.#cancelling && !this.lost) this.#owner?.onIdle(this)
  }

  /** Hands the bare client to something that speaks the protocol itself, such as COPY. */
  exclusive<T>(body: (client: pg.Client) => Promise<T>): Promise<T> {
    if (this.lost) return Promise.reject(this.lost)
    return body(this.client).catch((error: unknown) => {
      if (endsConnection(error)) this.lose(toError(error))
      throw error
    })
  }
}
