import type { HeaderMap, Reply } from '../exchange.ts'

/** A request as a cache sees it. */
export interface CacheRequest {
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly host: string
  /** Path and query string as sent. */
  readonly target: string
  readonly headers: HeaderMap
}

/** An origin's answer. */
export interface OriginResponse extends Reply {
  /** When it was asked, in milliseconds since the Unix epoch. */
  requestedAt: number
  /** When its headers came. */
  receivedAt: number
  /** Why it must not be kept, whatever it says of itself. */
  keepOut?: string
}

/** What is to be asked of the origin, and what is made of its answer. One of `settle`, `fail` and `abandon` must be called in the end. */
export interface Forward {
  /** Headers for the origin: the client's, with conditions of the cache's own. */
  readonly headers: HeaderMap
  /** Whether the answer may be kept for others: then it is worth having though the client leaves. */
  readonly isShared: boolean
  /** Whether it is to be settled though the client leaves: what a write has changed is changed. */
  readonly isWrite: boolean
  /** What the client gets for the origin's answer. */
  settle(response: OriginResponse): Promise<Reply>
  /** What the client gets when the origin could not be asked; undefined when there is nothing to stand in for it. */
  fail(): Reply | undefined
  /** Nobody will ask, or wait for the answer. */
  abandon(): void
}

/**
 * How a request begins: with a reply, with a question to the origin, or with both, and then the reply is sent at once and the origin asked in the background.
 */
export interface Opening {
  readonly reply: Reply | undefined
  readonly forward: Forward | undefined
}
