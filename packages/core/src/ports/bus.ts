/** One message as a subscriber sees it. */
export interface BusMessage {
  topic: string
  /** Plain JSON data. */
  payload: unknown
  /** Position of the message within its epoch, without gaps for a healthy subscriber. */
  sequence: bigint
}

/** What a subscriber is told. */
export interface BusSubscriber {
  /** Called in order of sequence, one at a time for each subscription. */
  onMessage(message: BusMessage): void | Promise<void>
  /**
   * Messages may have been missed and cannot be had again: drop what was derived from them.
   * Called after a gap, a change of epoch, or a reconnect beyond what the bus kept.
   */
  onGap(reason: 'epoch' | 'gap' | 'reconnect'): void | Promise<void>
}

/**
 * Broadcast to every process: each subscriber of a topic, in every process, gets every message.
 *
 * Promises, checked by `busContract`: at least once and in order for a subscriber that stays connected; a subscriber
 * that cannot be brought up to date hears `onGap` before anything newer; a message published
 * before `subscribe` resolved may be missed, one published after is not; `caughtUpAt` never runs ahead of what was delivered.
 */
export interface Bus {
  publish(topic: string, payload: unknown): Promise<void>
  /** Resolves when the subscription is live; the result ends it. */
  subscribe(topic: string, subscriber: BusSubscriber): Promise<() => Promise<void>>
  /**
   * A reading of `Clock.elapsed`, of the bus's own clock: everything that was published before it has been handed to this process's subscribers, or they were told of a gap.
   * It stands still while the transport is away, and then says how old what was derived from messages may be. `-Infinity` while nothing is known.
   */
  readonly caughtUpAt: number
}
