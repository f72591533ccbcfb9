import { type Duration, duration, optional, optionsError, resolveOptions, value } from '@tailwater/core'
import { isStandardSchema, type StandardSchema } from '@tailwater/jobs'
import type { Binding } from '../backend/topology_port.ts'
import type { MessageHandler } from '../consume/attempt.ts'
import type { Subscription } from '../consume/subscriber.ts'
import { resolveSubscriptionOptions } from '../consume/subscription_options.ts'
import type { Members } from '../members.ts'
import { checkTopic } from '../name.ts'
import type { ResolvedMessaging } from '../options.ts'
import { REQUESTS } from './requester.ts'
import { type RequestHandler, Responder } from './responder.ts'

/** How requests of one topic are answered. */
export interface RespondOptions {
  /** Of the body. */
  schema?: StandardSchema
  /** Requests that this process answers at once. @default 10 */
  concurrency?: number | { min: number; max: number }
  /** Longest time until the last reply. @default '30s' */
  timeout?: Duration
}

const fields = {
  schema: optional(value<StandardSchema>('a Standard Schema', isStandardSchema)),
  concurrency: value<number | { min: number; max: number }>('a number, or { min, max }', () => true, { default: 10 }),
  timeout: duration({ min: 1, default: '30s' }),
}

/** A request that nobody took within this time is of no use to anybody. */
const TTL: Duration = '1m'
/** Milliseconds beyond the responder's own time after which its place is taken from a handler that never settles. */
const SPARE = 1_000

type Subscribe = (
  name: string,
  bindings: readonly Binding[],
  handler: MessageHandler,
  options: ReturnType<typeof resolveSubscriptionOptions>,
) => Subscription

/** Makes responders: durable subscriptions of the exchange of requests, one name for a topic, so that all who respond share its requests. */
export function createResponders({
  options: { backend, clock, maxBody },
  members,
  subscribe,
}: {
  options: ResolvedMessaging
  members: Members
  subscribe: Subscribe
}): (topic: string, handler: RequestHandler, said: RespondOptions | undefined) => Subscription {
  return (topic, handler, said) => {
    checkTopic(topic)
    if (typeof handler !== 'function') throw optionsError('respond.handler', 'a function', handler)
    const { schema, concurrency, timeout } = resolveOptions('respond', said, fields)
    const responder = new Responder({ topic, handler, schema, replies: backend.replies, clock, timeout, maxBody })
    members.addUnawaited(responder)
    const name = `respond.${topic}`
    const options = { concurrency, attempts: 1, ttl: TTL, timeout: timeout + SPARE }
    return subscribe(
      name,
      [{ exchange: REQUESTS, pattern: topic }],
      (message) => responder.handle(message),
      resolveSubscriptionOptions(name, options),
    )
  }
}
