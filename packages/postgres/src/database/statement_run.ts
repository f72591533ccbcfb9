import { currentContext, databaseQuery, TailwaterError } from '@tailwater/core'
import type pg from 'pg'
import utils from 'pg/lib/utils.js'
import { sqlStateOf } from '../errors.ts'
import type { QueryResult, Statement } from '../queryable.ts'
import { isStalePlan } from './failure.ts'
import { RowShape } from './row_shape.ts'
import { shapesOf, type WireConnection, type WireHandler, type WireValue } from './wire.ts'

/** The rows of a statement, with the command tag by which a COMMIT that rolled back is told apart. */
export interface ServerResult extends QueryResult<Record<string, unknown>> {
  command: string
}

/** What can run a statement on any connection; asked again when a connection broke before the statement was sent. */
export interface RunTaker {
  run(run: StatementRun): void
}

/** What a statement needs of its connection. */
export interface RunHost extends RunTaker {
  readonly client: pg.Client
  readonly lost: Error | undefined
  /** It is being sent. */
  started(run: StatementRun): void
  /** It has ended. */
  finished(run: StatementRun, error: Error | undefined, rows: number): void
  /** Asks the server to stop it, if it is running. */
  cancel(run: StatementRun): void
  /** Closes the connection at its next rest. */
  retire(reason: Error): void
  /** Whether `error`, told to a statement, is the connection's end. */
  isLostBy(error: Error): boolean
}

/** A text may be handed to this many connections that turn out to be broken. */
const MAX_HANDOVERS = 3
/** The protocol counts the values of a statement in 16 bits. */
const MAX_VALUES = 65_535

/**
 * One statement on its way: waiting for a connection, running, or settled.
 *
 * It is its own place in the pool's queue, its own promise, and its own end of the driver's protocol, so that
 * a statement costs one object and one promise. A named statement is described once per connection: later runs save the server and us
 * the column descriptions, because a plan whose columns have changed is refused (and then run unnamed).
 */
export class StatementRun implements WireHandler {
  readonly text: string
  /** The name it is given; for messages and events. */
  readonly label: string | undefined
  /** The name it is prepared under on the server, if it is. */
  name: string | undefined
  readonly values: readonly unknown[] | undefined
  readonly result: Promise<ServerResult>
  readonly requestId: string | undefined
  /** Whether the server may have seen it. */
  sent = false
  /** Milliseconds by the pool's clock: when it joined the queue, and when it was sent. */
  since = 0
  startedAt = 0
  /** Milliseconds from being sent to its last row. */
  elapsed = 0
  /** Milliseconds it may take; 0 for no limit. */
  timeout = 0
  /** Milliseconds after which it is ended from here: later, where the server should have done so before. */
  limit = 0
  /** Takes it out of the line it waits in. */
  leave: (() => void) | undefined
  /** Why the caller no longer waits. */
  abandoned: Error | undefined
  connection: RunHost | undefined
  /** Not to travel with others: it has limits of its own, or did so when one of them failed. */
  alone = false
  /** For a read, which does no harm when run twice. */
  readonly repeatable: boolean
  readonly #home: RunTaker | undefined
  #handovers = 0
  #resolve!: (result: ServerResult) => void
  #reject!: (error: unknown) => void
  #shape: RowShape | undefined
  #misuse: Error | undefined
  #rows: Record<string, unknown>[] = []
  #last: ServerResult = { rows: this.#rows, rowCount: null, command: '' }

  /**
   * @param home set for a statement that stands alone, and so may move to another connection
   * @param repeatable for a read, which does no harm when run twice
   */
  constructor(
    statement: string | Statement,
    values: readonly unknown[] | undefined,
    home?: RunTaker,
    repeatable: boolean = false,
  ) {
    if (typeof statement === 'string') {
      this.text = statement
      this.label = undefined
    } else {
      this.text = statement.text
      this.label = statement.name
    }
    this.name = this.label
    this.values = values
    this.#home = home
    this.repeatable = repeatable
    this.requestId = databaseQuery.hasSubscribers ? currentContext()?.requestId : undefined
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  take(connection: RunHost): void {
    connection.run(this)
  }

  fail(error: unknown): void {
    this.#reject(error)
  }

  /** Settles it with `reason` at once; if it is running, the server is asked to cancel it. */
  abandon(reason: Error): void {
    if (this.abandoned) return
    this.abandoned = reason
    this.#reject(reason)
    this.leave?.()
    this.connection?.cancel(this)
  }

  /** Writes itself without an end, which comes after the last; false when there is nothing to send. */
  sendAmongOthers(wire: WireConnection): boolean {
    if (this.abandoned) return false
    const values = wireValues(this.values)
    if (values instanceof Error) {
      this.#reject(values)
      return false
    }
    this.sent = true
    this.connection!.started(this)
    this.#shape = shapesOf(this.connection!.client).get(this.name!)
    wire.bind({ statement: this.name, values })
    wire.execute({})
    return true
  }

  /** Is sent again, because one that it was sent with has failed. */
  repeatAlone(): void {
    if (this.abandoned) return
    this.alone = true
    this.#forget()
    this.#home!.run(this)
  }

  submit(wire: WireConnection): Error | null {
    const { name, text } = this
    if (this.abandoned) return this.abandoned
    if (name !== undefined && (wire.parsedStatements[name] ?? text) !== text) return ambiguousName(name)
    const values = wireValues(this.values)
    if (values instanceof Error) return values
    this.sent = true
    this.connection!.started(this)
    if (name === undefined && values.length === 0) wire.query(text)
    else this.#submitExtended(wire, values)
    return null
  }

  #submitExtended(wire: WireConnection, values: readonly WireValue[]): void {
    const { name, text } = this
    const known =
      name !== undefined && (wire.parsedStatements[name] ?? wire.submittedNamedStatements[name]) !== undefined
    const shape = known ? shapesOf(this.connection!.client).get(name) : undefined
    // One packet for all messages of the statement.
    wire.stream.cork?.()
    if (!known) {
      wire.parse({ text, name })
      if (name !== undefined) wire.submittedNamedStatements[name] = text
    }
    wire.bind({ statement: name, values })
    if (shape === undefined) wire.describe({ type: 'P', name: '' })
    else this.#shape = shape
    wire.execute({})
    wire.sync()
    wire.stream.uncork?.()
  }

  handleRowDescription({ fields }: Parameters<WireHandler['handleRowDescription']>[0]): void {
    const { client } = this.connection!
    this.#shape = new RowShape(
      fields,
      (oid, format) => client.getTypeParser(oid, format as 'text') as (text: string) => unknown,
    )
    if (this.name !== undefined) shapesOf(client).set(this.name, this.#shape)
  }

  handleDataRow({ fields }: { fields: (string | null)[] }): void {
    this.#rows.push(this.#shape!.row(fields))
  }

  /** Several statements in one text answer one after the other: the last one's rows are the result. */
  handleCommandComplete({ text }: { text: string }): void {
    const space = text.indexOf(' ')
    const count = text.lastIndexOf(' ')
    const command = space < 0 ? text : text.slice(0, space)
    const counted = count < 0 ? Number.NaN : Number(text.slice(count + 1))
    this.#last = { rows: this.#rows, rowCount: Number.isNaN(counted) ? null : counted, command }
    this.#rows = []
  }

  handleReadyForQuery(): void {
    this.connection!.finished(this, this.#misuse, this.#last.rowCount ?? this.#last.rows.length)
    if (this.#misuse) this.#reject(this.#misuse)
    else this.#resolve(this.#last)
  }

  handleError(told: Error): void {
    const connection = this.connection!
    // When we have given the connection up, our reason says more than what the driver then sees.
    const error = this.#misuse ?? (sqlStateOf(told) === undefined ? (connection.lost ?? told) : told)
    if (this.#home && !this.abandoned && this.#repeatElsewhere(connection, error)) return
    connection.finished(this, error, 0)
    this.#reject(error)
  }

  /** Whether the statement has certainly not run, or may run twice, and is on its way again. */
  #repeatElsewhere(connection: RunHost, error: Error): boolean {
    if (this.#handovers >= MAX_HANDOVERS) return false
    const lost = (!this.sent || this.repeatable) && connection.isLostBy(error)
    if (!lost && !(this.name !== undefined && isStalePlan(error))) return false
    this.#handovers++
    connection.retire(error)
    connection.finished(this, error, 0)
    this.#forget()
    if (!lost) this.name = undefined
    this.#home!.run(this)
    return true
  }

  /** Is as if it had never been sent. */
  #forget(): void {
    this.sent = false
    this.#shape = undefined
    this.#rows = []
  }

  handleEmptyQuery(): void {}

  handlePortalSuspended(): void {}

  handleCopyInResponse(wire: WireConnection): void {
    this.#misuse ??= new TailwaterError('E_OPTIONS', 'COPY FROM STDIN takes its rows from a stream: use copyIn')
    wire.sendCopyFail(this.#misuse.message)
  }

  handleCopyData(): void {
    this.#misuse ??= new TailwaterError('E_OPTIONS', 'COPY TO STDOUT gives its rows to a stream: use copyOut')
  }
}

function wireValues(values: readonly unknown[] | undefined): readonly WireValue[] | Error {
  if (values === undefined) return []
  if (values.length > MAX_VALUES) {
    return new TailwaterError(
      'E_OPTIONS',
      `a statement takes at most ${MAX_VALUES} values, got ${values.length}: pass one JSON or array value, or use copyIn`,
    )
  }
  try {
    return values.map(utils.prepareValue)
  } catch (error) {
    return new TailwaterError('E_OPTIONS', 'a value of the statement cannot be written as text', { cause: error })
  }
}

function ambiguousName(name: string): Error {
  return new TailwaterError(
    'E_OPTIONS',
    `two statements of different text are named '${name}': a name stands for one text in the whole process`,
    { name },
  )
}
