import type { AttemptNote, Message } from '../message.ts'
import type { Binding } from './topology_port.ts'

/** How a delivery ends. */
export type Settlement =
  | { readonly type: 'done' }
  /** Given again after at least `after` milliseconds, with one more note; nobody else waits for it. */
  | { readonly type: 'retry'; readonly after: number; readonly note: AttemptNote }
  /** Into the dead letters, with its notes. */
  | { readonly type: 'dead'; readonly reason: DeathReason; readonly note: AttemptNote | undefined }
  /** Given again at once, to whomever, without an attempt being counted. */
  | { readonly type: 'released' }

/** Why a message became a dead letter. */
export type DeathReason = 'attempts' | 'permanent' | 'invalid' | 'expired' | 'poison' | 'foreign'

/** A message in the hands of one consumer. */
export interface Delivery {
  readonly message: Message
  /** Times that it was tried and failed before, with what came of each. */
  readonly notes: readonly AttemptNote[]
  /** It was given to somebody before who did not settle it. */
  readonly isRedelivered: boolean
  /** Milliseconds since the Unix epoch from which it could have been given, as far as it is known. */
  readonly availableAt: number | undefined
  /** Aborts when the store has taken it back (connection or lease lost): it will be given again, and what is settled then is refused. */
  readonly signal: AbortSignal
  /** Ends it, once; resolves when the store has it. @throws E_MESSAGE_LOST when it was taken back before */
  settle(settlement: Settlement): Promise<void>
}

/** What one process takes from one subscription. */
export interface Consumer {
  /** Deliveries that may be unsettled at once. */
  setPrefetch(count: number): Promise<void>
  /** Takes nothing more; what was given goes on. Resolves when nothing more comes. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Takes nothing more, waits until what was given is settled, or until the deadline (a reading of `Clock.elapsed`), and gives back the rest. */
  stop(deadline?: number): Promise<void>
}

/** How messages go out. */
export interface ConsumePort {
  /**
   * Takes messages of a durable subscription, as one of any number of consumers that compete for them.
   * Where levels are kept apart, each gets its turn, the higher the more.
   */
  consume(
    subscription: string,
    options: { readonly prefetch: number },
    onDelivery: (delivery: Delivery) => void,
  ): Promise<Consumer>
  /**
   * Hears messages from now on, in this process alone, each at most once: nothing is kept while it is away. Resolves when it is live; the result ends it.
   */
  listen(bindings: readonly Binding[], onMessage: (message: Message) => void): Promise<() => Promise<void>>
}
