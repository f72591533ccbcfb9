import { type Channel, channel } from 'node:diagnostics_channel'
import type { Cancel } from './clock.ts'
import { toError } from './errors.ts'

/**
 * A named stream of one kind of message, on `node:diagnostics_channel`.
 *
 * Write the guard at the call site, so that with no subscriber nothing is built:
 * `if (jobAttempt.hasSubscribers) jobAttempt.publish({ … })`. Look the channel up once, at module
 * level: `hasSubscribers` on a held channel is free, a look-up by name costs 30–60 ns.
 */
export interface EventChannel<Message extends object> {
  readonly name: string
  readonly hasSubscribers: boolean
  publish(message: Message): void
  /** Never set; carries the type of the messages. */
  readonly _message?: Message
}

/** Declares a channel. Names are public API: `tailwater:<area>:<event>`, listed in docs/events.md. */
export function eventChannel<Message extends object>(name: `tailwater:${string}`): EventChannel<Message> {
  return channel(name) as EventChannel<Message>
}

/**
 * Subscribes to a channel; the only way to do so.
 *
 * Node rethrows what a subscriber throws as an uncaught exception, which ends the process. Here it
 * goes to `onError` instead, or is dropped: whoever publishes must not suffer for who listens. The subscriber runs in the publisher's async context, and must not
 * keep the message if its publisher says that it is reused.
 *
 * @returns what ends the subscription
 */
export function listen<Message extends object>(
  source: EventChannel<Message>,
  subscriber: (message: Message) => void,
  onError: (error: Error) => void = () => {},
): Cancel {
  const guarded = (message: unknown) => {
    try {
      subscriber(message as Message)
    } catch (error) {
      onError(toError(error))
    }
  }
  const subscribed = source as unknown as Channel
  subscribed.subscribe(guarded)
  return () => void subscribed.unsubscribe(guarded)
}
