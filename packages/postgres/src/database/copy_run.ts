import { currentContext, databaseQuery, TailwaterError, toError } from '@tailwater/core'
import type pg from 'pg'
import type { QueryOptions } from '../queryable.ts'
import type { Connection } from './connection.ts'
import { statementError } from './failure.ts'
import { cancelled, tookTooLong } from './perform.ts'
import { publishQuery } from './query_event.ts'
import type { StatementSite } from './statement_site.ts'

/** A stream of pg-copy-streams, as the driver sees it. */
interface CopyStream {
  handleError(error: Error): void
}

/** One COPY: its limits, its event, and whose its failure is. */
export class CopyRun {
  readonly #connection: Connection
  readonly #options: QueryOptions
  readonly #site: StatementSite
  readonly #controller = new AbortController()
  #told: Error | undefined
  readonly text: string
  readonly label = undefined
  readonly sent = true
  readonly requestId = currentContext()?.requestId
  elapsed = 0

  constructor(connection: Connection, text: string, options: QueryOptions, site: StatementSite) {
    this.#connection = connection
    this.text = text
    this.#options = options
    this.#site = site
  }

  /** Aborts when the caller does, or when time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Remembers what the connection tells `stream`: the rest of a pipeline's failures come from its other end. */
  overhear<Stream extends object>(stream: Stream): Stream {
    const told = stream as unknown as CopyStream
    const handleError = told.handleError.bind(stream)
    told.handleError = (error) => {
      this.#told = error
      handleError(error)
    }
    return stream
  }

  isToldByServer(error: unknown): boolean {
    return error === this.#told
  }

  /** Runs `body` on the connection's bare client. */
  async during(body: (client: pg.Client) => Promise<number>): Promise<number> {
    const { clock } = this.#site
    const endLimits = this.#limit()
    const startedAt = clock.elapsed()
    try {
      this.signal.throwIfAborted()
      const rows = await this.#connection.exclusive(body)
      this.#finish(clock.elapsed() - startedAt, rows)
      return rows
    } catch (error) {
      this.#finish(clock.elapsed() - startedAt, 0, toError(error))
      if (this.signal.aborted) throw this.signal.reason
      throw this.isToldByServer(error) ? statementError(error, this, this.#site) : error
    } finally {
      endLimits()
    }
  }

  #limit(): () => void {
    const { signal, timeout } = this.#options
    // A transaction that ends its COPY gives its own reason.
    const reason = () => (signal!.reason instanceof TailwaterError ? signal!.reason : cancelled(signal!))
    const onAbort = () => this.#controller.abort(reason())
    const end = () => this.#controller.abort(tookTooLong(timeout!))
    const cancelTimer = timeout ? this.#site.clock.after(timeout, end) : undefined
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
    return () => {
      cancelTimer?.()
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #finish(ms: number, rows: number, error?: Error): void {
    this.elapsed = ms
    if (databaseQuery.hasSubscribers) publishQuery(this, this.#connection.target, error, rows)
  }
}
