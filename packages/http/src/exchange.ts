import type { Readable } from 'node:stream'
import type { RequestContext } from '@tailwater/core'

/** Headers by lower-case name, as Node gives them. */
export type HeaderMap = Record<string, string | string[] | undefined>

/** Who is calling, after the trusted proxies have been taken into account. */
export interface ClientView {
  address: string
  protocol: 'http' | 'https'
  host: string
}

/**
 * One request, the same whichever framework received it.
 *
 * Middleware talk to each other through `state`, by keys they export, and to the reply through
 * `replyHeaders`, which are added to whatever is sent in the end.
 */
export interface Exchange {
  readonly method: string
  /** Path as sent, without the query string, not decoded. */
  readonly path: string
  /** Query string without the question mark; empty when there is none. */
  readonly query: string
  readonly headers: HeaderMap
  /** The peer of the socket, before any proxy header is believed. */
  readonly remoteAddress: string
  readonly client: ClientView
  readonly context: RequestContext
  /** Aborts when the client goes away before the reply is complete. */
  readonly signal: AbortSignal
  readonly replyHeaders: Record<string, string | string[]>
  readonly state: Map<symbol, unknown>
  /** Pattern of the matched route, once it is known. */
  route: string | undefined
}

/** What is sent back. Streams are sent as they are, never kept. */
export interface Reply {
  status: number
  headers: Record<string, string | string[]>
  body: Uint8Array | string | Readable | undefined
}

/** How an exchange ended. */
export interface Outcome {
  status: number
  aborted: boolean
  /** Bytes of the body as sent, when known. */
  bytes: number | undefined
}
