import { messagePublished } from '@tailwater/core'
import type { Outgoing, PublishOutcome } from '../backend/publish_port.ts'

/** Tells what became of messages. */
export function publishAll(
  outgoing: readonly Outgoing[],
  ms: number,
  outcomes: readonly PublishOutcome[] | undefined,
  error: Error | undefined,
): void {
  if (!messagePublished.hasSubscribers) return
  for (const [index, { message }] of outgoing.entries()) {
    const { exchange, topic, id: messageId, requestId, traceparent } = message
    const outcome = outcomes?.[index] ?? 'failed'
    messagePublished.publish({ requestId, exchange, topic, messageId, outcome, ms, error, traceparent })
  }
}
