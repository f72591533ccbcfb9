import { backgroundError, httpRequest, type RequestContext, toError } from '@tailwater/core'
import type { ClientView, Exchange, HeaderMap, Outcome } from '../exchange.ts'
import type { Middleware } from '../middleware.ts'
import type { ResolvedHostOptions } from '../options.ts'
import { createContext } from '../request_context.ts'

/** What an adapter knows of the connection and an exchange asks for only when somebody wants it. */
export interface Wire {
  readonly encrypted: boolean
  /** Aborts when the client goes away before the reply is complete. */
  signal(): AbortSignal
}

/** The line and headers of a request. */
export interface Incoming {
  method: string
  /** Path and query string as sent. */
  target: string
  headers: HeaderMap
  remoteAddress: string
}

/**
 * The exchange that adapters make.
 *
 * Its modes: open; concluded, when the `after` hooks have seen the reply; finished, when the outcome is told.
 */
export class LiveExchange implements Exchange {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: HeaderMap
  readonly remoteAddress: string
  readonly context: RequestContext
  readonly replyHeaders: Record<string, string | string[]> = {}
  readonly host: ResolvedHostOptions
  route: string | undefined = undefined
  /** Middleware whose turn has come, in order; their `after` and `finish` run in reverse. */
  readonly reached: Middleware[] = []
  concluded = false
  /** Bytes of the body written so far, when the adapter counts them. */
  bytes: number | undefined = undefined
  readonly #wire: Wire
  readonly #startedAt: number
  #finished = false
  #client: ClientView | undefined = undefined
  #state: Map<symbol, unknown> | undefined = undefined

  constructor(host: ResolvedHostOptions, wire: Wire, { method, target, headers, remoteAddress }: Incoming) {
    this.#startedAt = host.clock.elapsed()
    this.host = host
    this.#wire = wire
    this.method = method
    const mark = target.indexOf('?')
    this.path = mark < 0 ? target : target.slice(0, mark)
    this.query = mark < 0 ? '' : target.slice(mark + 1)
    this.headers = headers
    this.remoteAddress = remoteAddress
    this.context = createContext(headers, believesId(host, headers, remoteAddress))
  }

  get client(): ClientView {
    this.#client ??= this.host.clients.resolve(
      { address: this.remoteAddress, encrypted: this.#wire.encrypted },
      this.headers,
    )
    return this.#client
  }

  get signal(): AbortSignal {
    return this.#wire.signal()
  }

  get state(): Map<symbol, unknown> {
    this.#state ??= new Map()
    return this.#state
  }

  /** Tells the outcome to the middleware and the channel; the first call counts. */
  finish(outcome: Outcome): void {
    if (this.#finished) return
    this.#finished = true
    for (let i = this.reached.length - 1; i >= 0; i--) this.#tell(this.reached[i]!, outcome)
    if (httpRequest.hasSubscribers)
      httpRequest.publish({
        requestId: this.context.requestId,
        method: this.method,
        route: this.route,
        path: this.path,
        status: outcome.status,
        ms: this.host.clock.elapsed() - this.#startedAt,
        aborted: outcome.aborted,
        bytes: outcome.bytes,
      })
  }

  #tell(step: Middleware, outcome: Outcome): void {
    try {
      step.finish?.(this, outcome)
    } catch (error) {
      // The reply is gone: there is nobody left to tell but the log.
      if (backgroundError.hasSubscribers)
        backgroundError.publish({ source: `http middleware ${step.name}`, error: toError(error) })
    }
  }
}

function believesId(host: ResolvedHostOptions, headers: HeaderMap, remoteAddress: string): boolean {
  if (headers['x-request-id'] === undefined || host.trustRequestId === 'never') return false
  return host.trustRequestId === 'always' || host.clients.trusts(remoteAddress)
}
