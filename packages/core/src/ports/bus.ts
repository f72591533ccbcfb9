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
 * before `subscribe` resolved may be missed, one published after is not.
 */
export interface Bus {
  publish(topic: string, payload: unknown): Promise<void>
  /** Resolves when the subscription is live; the result ends it. */
  subscribe(topic: string, subscriber: BusSubscriber): Promise<() => Promise<void>>
}
