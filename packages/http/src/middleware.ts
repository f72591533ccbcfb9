import type { Exchange, Outcome, Reply } from './exchange.ts'

/**
 * A step around a handler, the same in Fastify, connect and fetch.
 *
 * Three hooks instead of an onion, because connect and Fastify hand us a handler's reply only as it
 * is sent. `before` runs in the order of the list, `after` and `finish` in reverse.
 */
export interface Middleware {
  readonly name: string
  /** Runs before the handler; a reply ends the exchange (its `after` hooks still run). Throwing makes a problem reply. */
  before?(exchange: Exchange): Reply | undefined | void | Promise<Reply | undefined | void>
  /** Sees the whole reply before its first byte is sent, and may replace it. */
  after?(exchange: Exchange, reply: Reply): Reply | Promise<Reply>
  /** Runs once, after the last byte or the abort; must not throw. */
  finish?(exchange: Exchange, outcome: Outcome): void
}
