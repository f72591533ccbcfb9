import type { Level } from '../message.ts'

/** How an exchange compares a message's topic with its bindings: by pattern (`*` one word, `#` any number), letter by letter, or not at all. */
export type ExchangeType = 'topic' | 'direct' | 'fanout'

/** An exchange. */
export interface ExchangeSpec {
  readonly name: string
  readonly type: ExchangeType
}

/** What a subscription wants of an exchange. */
export interface Binding {
  readonly exchange: string
  /** For a fanout exchange ''. */
  readonly pattern: string
}

/** A durable subscription: a queue, or one for each level, and its dead letters. */
export interface SubscriptionSpec {
  readonly name: string
  readonly bindings: readonly Binding[]
  /** Levels that are kept apart; others join the nearest lower of these, or the lowest. */
  readonly levels: readonly Level[]
  /**
   * Milliseconds after which a message that nobody has begun is not given any more; undefined for none. It goes without a trace, or as a dead letter with the
   * reason `expired`, as the store does it.
   */
  readonly ttl: number | undefined
  /** Messages that wait at most; further ones are refused to the publisher with E_MESSAGE_QUEUE_FULL. undefined for no limit. */
  readonly maxLength: number | undefined
  /**
   * Deliveries that may end with their consumer (crash, lost connection); with one more the message is taken for poison and becomes a dead letter. A store
   * may have a limit of its own below it.
   */
  readonly maxCrashes: number
}

/** What there is to publish to and to consume from. */
export interface TopologyPort {
  /**
   * Makes an exchange, or finds it.
   * @throws E_MESSAGE_TOPOLOGY when there is one of this name with another type; the message says which
   */
  declareExchange(exchange: ExchangeSpec): Promise<void>
  /**
   * Makes a subscription, or changes the one of this name to what is said now: bindings that it has no longer are taken away. Its exchanges must exist, and its
   * bindings are told apart by exchange and pattern.
   * @throws E_MESSAGE_TOPOLOGY when what is there cannot be changed (`queue x exists as classic; …`), E_MESSAGE_EXCHANGE_UNKNOWN
   */
  declareSubscription(subscription: SubscriptionSpec): Promise<void>
  /** Takes a subscription away, with what waits in it; its dead letters stay. False if there was none. */
  removeSubscription(name: string): Promise<boolean>
}
