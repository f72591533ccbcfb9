import type { Message } from '../message.ts'

/** A message to be published. */
export interface Outgoing {
  readonly message: Message
  /** The moment before which nobody is given it, in milliseconds since the Unix epoch. @default at once */
  readonly deliverAt?: number | undefined
}

/** What became of it. Only a `confirmed` message is safe. */
export type PublishOutcome =
  /** Kept by every queue that it was routed to, as durably as the store can. */
  | 'confirmed'
  /** No binding matched; nobody will get it. */
  | 'unroutable'

/** How messages come in. */
export interface PublishPort {
  /**
   * Publishes messages in their order, and resolves when all of them are confirmed or found unroutable. Calls do not wait for each other, and those of one tick
   * may travel together. A message told twice under the same id may be kept twice, but never given under two ids.
   *
   * @throws E_MESSAGE_EXCHANGE_UNKNOWN, E_MESSAGE_QUEUE_FULL, E_MESSAGE_BLOCKED (the store takes nothing, and what may wait for it is used up),
   * E_MESSAGE_UNCONFIRMED (no confirmation before the deadline; it may or may not have arrived)
   */
  send(messages: readonly Outgoing[]): Promise<PublishOutcome[]>
}
