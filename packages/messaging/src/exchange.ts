import { type Clock, type IdSource, optionsError } from '@tailwater/core'
import type { StandardSchema } from '@tailwater/jobs'
import type { Binding, ExchangeSpec, ExchangeType } from './backend/topology_port.ts'
import type { MessageHandler } from './consume/attempt.ts'
import type { BroadcastHandler } from './consume/broadcast_listener.ts'
import type { Subscription } from './consume/subscriber.ts'
import type { SubscriptionOptions } from './consume/subscription_options.ts'
import { checkKnownTopic, checkPattern, checkTopic } from './name.ts'
import { checkBody, encodeBody } from './publish/body.ts'
import {
  outgoingOf,
  type PublishOptions,
  type ResolvedPublish,
  resolvePublishOptions,
} from './publish/publish_options.ts'
import type { Sender } from './publish/sender.ts'

/** The schemas of an exchange's topics. */
export type TopicSchemas = Readonly<Record<string, StandardSchema>>

/** How an exchange is made. */
export interface ExchangeOptions<Topics extends TopicSchemas = TopicSchemas> {
  /** How topics are compared with bindings. @default 'topic' */
  type?: ExchangeType
  /** Its topics, and what their bodies are: checked when they are published and when they arrive. With it, no other topics can be published. */
  topics?: Topics
}

/** What may be published under a topic. */
export type TopicInput<Topics, Topic> = Topic extends keyof Topics
  ? Topics[Topic] extends StandardSchema<infer Input, unknown>
    ? Input
    : unknown
  : unknown

/** What arrives of any of an exchange's topics. */
export type TopicOutput<Topics> = Topics[keyof Topics] extends StandardSchema<unknown, infer Output> ? Output : unknown

/** One message of several. */
export interface PublishRequest {
  topic: string
  body: unknown
  options?: Omit<PublishOptions, 'tx' | 'signal' | 'mandatory'>
}

/** Where messages are published, and from where subscriptions get them. */
export interface Exchange<Topics extends TopicSchemas = TopicSchemas> {
  readonly name: string
  readonly type: ExchangeType
  /**
   * Publishes a message; resolves to its id when it is kept by every subscription that is bound to its topic. In a transaction it resolves when it is written there.
   *
   * @throws E_MESSAGE_UNROUTABLE, E_MESSAGE_TOPIC, E_MESSAGE_BODY, E_MESSAGE_BODY_SIZE, E_MESSAGE_QUEUE_FULL, E_MESSAGE_BLOCKED, E_MESSAGE_UNCONFIRMED, E_MESSAGE_TRANSACTION
   */
  publish<Topic extends keyof Topics & string>(
    topic: Topic,
    body: TopicInput<Topics, Topic>,
    options?: PublishOptions,
  ): Promise<string>
  /** Publishes messages in their order, together; their ids. If some are unroutable the others are published all the same. */
  publishMany(
    requests: readonly PublishRequest[],
    options?: Pick<PublishOptions, 'tx' | 'signal' | 'mandatory'>,
  ): Promise<string[]>
  /**
   * Serves a durable subscription of this exchange: it gets, from now on, whatever matches one of the patterns, also while nobody serves it. All who subscribe under one name share the messages.
   *
   * @param patterns of a topic exchange `order.*`, `order.#`; of a direct one whole topics; of a fanout none
   * @throws E_MESSAGE_NAME, E_MESSAGE_PATTERN, E_OPTIONS
   */
  subscribe<Body = TopicOutput<Topics>>(
    name: string,
    patterns: string | readonly string[],
    handler: MessageHandler<Body>,
    options?: SubscriptionOptions,
  ): Subscription
  /** Hears messages while messaging runs here, at most once each, in every process that listens. Resolves when it is live; the result ends it. */
  listen<Body = TopicOutput<Topics>>(
    patterns: string | readonly string[],
    handler: BroadcastHandler<Body>,
  ): Promise<() => Promise<void>>
}

/** What an exchange needs of the engine. */
export interface ExchangeParts {
  readonly spec: ExchangeSpec
  readonly topics: TopicSchemas | undefined
  readonly sender: Sender
  readonly clock: Clock
  readonly ids: IdSource
  readonly maxBody: number
  readonly subscribe: (
    name: string,
    bindings: readonly Binding[],
    handler: MessageHandler,
    options: SubscriptionOptions | undefined,
  ) => Subscription
  readonly listen: (bindings: readonly Binding[], handler: BroadcastHandler) => Promise<() => Promise<void>>
}

/** Makes the handle of an exchange. */
export function createExchange(parts: ExchangeParts): Exchange {
  const { spec, topics, sender, maxBody } = parts
  const { name, type } = spec
  const known = topics && Object.keys(topics)

  async function prepare(topic: string, body: unknown, options: ResolvedPublish) {
    checkTopic(topic)
    if (known) checkKnownTopic(name, topic, known)
    const schema = topics?.[topic]
    // Sent as it was given: what the schema makes of it, it makes of it again on arrival.
    if (schema) await checkBody(schema, `'${topic}'`, body)
    return outgoingOf(name, topic, encodeBody(`'${topic}'`, body, maxBody), options, parts)
  }

  function bindingsOf(patterns: string | readonly string[]): Binding[] {
    const all = typeof patterns === 'string' ? [patterns] : patterns
    if (!Array.isArray(all) || (all.length === 0 && type !== 'fanout')) checkPattern(type, undefined)
    return (all.length === 0 && type === 'fanout' ? [''] : all).map((pattern) => {
      const said = type === 'fanout' && pattern === '#' ? '' : pattern
      checkPattern(type, said)
      return { exchange: name, pattern: said }
    })
  }

  return {
    name,
    type,
    async publish(topic, body, given) {
      const options = resolvePublishOptions(given)
      const outgoing = await prepare(topic, body, options)
      await sender.send([outgoing], options)
      return outgoing.message.id
    },
    async publishMany(requests, given) {
      const options = resolvePublishOptions(given)
      if (!Array.isArray(requests)) throw optionsError('publishMany.requests', 'an array', requests)
      const outgoing = await Promise.all(
        requests.map((request) => prepare(request.topic, request.body, resolvePublishOptions(request.options))),
      )
      await sender.send(outgoing, options)
      return outgoing.map(({ message }) => message.id)
    },
    subscribe(subscription, patterns, handler, options) {
      if (typeof handler !== 'function') throw optionsError('subscribe.handler', 'a function', handler)
      return parts.subscribe(subscription, bindingsOf(patterns), handler as MessageHandler, options)
    },
    async listen(patterns, handler) {
      if (typeof handler !== 'function') throw optionsError('listen.handler', 'a function', handler)
      return parts.listen(bindingsOf(patterns), handler as BroadcastHandler)
    },
  }
}
