import { backgroundError, createService, type Service, startAll, stopAll, toError } from '@tailwater/core'
import type { InspectPort } from './backend/inspect_port.ts'
import type { Binding } from './backend/topology_port.ts'
import type { MessagingBackend } from './backend.ts'
import type { MessageHandler } from './consume/attempt.ts'
import { type BroadcastHandler, BroadcastListener } from './consume/broadcast_listener.ts'
import { Subscriber, type Subscription, type SubscriptionStatus } from './consume/subscriber.ts'
import { resolveSubscriptionOptions, type SubscriptionOptions } from './consume/subscription_options.ts'
import { createDeadLetters, type DeadLetters } from './dead_letters.ts'
import { Declarations } from './declarations.ts'
import { messagingError } from './errors.ts'
import { createExchange, type Exchange, type ExchangeOptions, type TopicSchemas } from './exchange.ts'
import { keepTrimmed } from './inbox/inbox.ts'
import { type Member, Members } from './members.ts'
import { checkName } from './name.ts'
import { type MessagingOptions, type ResolvedMessaging, resolveMessagingOptions, warnOfMemory } from './options.ts'
import { createPolicy, type Policy, type PolicyState } from './policy/policy.ts'
import type { PolicyOptions } from './policy/policy_options.ts'
import { createRelay } from './publish/relay.ts'
import { createSender } from './publish/sender.ts'
import { REQUESTS, Requester, type RequestOptions } from './request/requester.ts'
import type { RequestHandler } from './request/responder.ts'
import { createResponders, type RespondOptions } from './request/responders.ts'

/** Messages: who publishes does not know who listens. */
export interface Messaging extends Service {
  /**
   * An exchange: declared when messaging starts, or at once if it has started. Asked for again it is the same, and must be of the same type.
   * @throws E_MESSAGE_NAME, E_MESSAGE_TOPOLOGY, E_OPTIONS
   */
  exchange<Topics extends TopicSchemas = TopicSchemas>(
    name: string,
    options?: ExchangeOptions<Topics>,
  ): Exchange<Topics>
  /** Answers requests of a topic, as one of any number of processes that do. @throws E_MESSAGE_TOPIC, E_MESSAGE_NAME, E_OPTIONS */
  respond<Body = unknown>(topic: string, handler: RequestHandler<Body>, options?: RespondOptions): Subscription
  /**
   * Asks whoever responds to a topic.
   * @throws E_MESSAGE_NO_RESPONDER (nobody ever did), E_MESSAGE_TIMEOUT, E_MESSAGE_REPLY_LOST, and what the responder threw, by its code
   */
  request<Result = unknown>(topic: string, body: unknown, options?: RequestOptions): Promise<Result>
  /** Asks, and reads several replies as they come; leaving the loop tells the responder to stop. */
  requestStream<Part = unknown>(topic: string, body: unknown, options?: RequestOptions): AsyncIterable<Part>
  /** Makes a policy for calls to somebody else. @throws E_MESSAGE_NAME, E_OPTIONS */
  policy(name: string, options: PolicyOptions): Policy
  readonly deadLetters: DeadLetters
  /** What there is in the store, and how it goes. */
  readonly inspect: InspectPort
  /** What this process does. */
  readonly status: { readonly subscriptions: readonly SubscriptionStatus[]; readonly policies: readonly PolicyState[] }
  readonly backend: MessagingBackend
}

/**
 * Builds messaging on a backend.
 *
 * A message whose publishing was confirmed is given to every subscription that its topic matched, at least once, until it was handled or became a dead letter. Handlers must bear
 * repetition; `message.once` makes that easy.
 *
 * @throws E_OPTIONS
 * @example
 * const messaging = createMessaging({ database })
 * const orders = messaging.exchange('orders')
 * orders.subscribe('billing', 'order.*', async (message) => bill(message.body))
 * await messaging.start()
 * await orders.publish('order.placed', { orderId: 1 })
 */
export function createMessaging(given: MessagingOptions = {}): Messaging {
  const options = resolveMessagingOptions(given)
  const { backend, outbox, clock, ids, maxBody } = options
  const declarations = new Declarations(backend.topology)
  const relay = outbox && createRelay(outbox, backend.publish)
  const members = new Members(clock)
  const sender = createSender({
    port: backend.publish,
    relay,
    clock,
    // What this process subscribed to before it published is there to be published to.
    async ready(name) {
      if (members.settled) await members.settled
      return declarations.ready(name)
    },
  })
  const requester = new Requester({ backend, sender, clock, ids, maxBody })
  const policies = new Map<string, Policy>()
  const subscribers = createSubscribers(options, { members, declarations, policies })
  const exchanges = createExchanges({ options, declarations, members, subscribers, sender })
  declarations.add({ name: REQUESTS, type: 'direct' })
  const respond = createResponders({ options, members, subscribe: subscribers.add })

  return {
    ...createLifecycle(options, {
      declarations,
      requester,
      members,
      follow: () => relay?.follow() ?? Promise.resolve(),
    }),
    exchange: exchanges.get,
    respond: (topic, handler, said) => respond(topic, handler as RequestHandler, said),
    request: async <Result>(topic: string, body: unknown, said?: RequestOptions) =>
      (await requester.ask(topic, body, said)) as Result,
    requestStream: <Part>(topic: string, body: unknown, said?: RequestOptions) =>
      requester.stream(topic, body, said) as AsyncIterable<Part>,
    policy(name, said) {
      checkName('a policy', name)
      if (policies.has(name)) throw taken('policy', name)
      const policy = createPolicy(name, said, clock)
      policies.set(name, policy)
      return policy
    },
    deadLetters: createDeadLetters(backend.deadLetters, options),
    inspect: backend.inspect,
    get status() {
      return { subscriptions: subscribers.statuses(), policies: [...policies.values()].map(({ state }) => state) }
    },
    backend,
  }
}

function createLifecycle(
  options: ResolvedMessaging,
  parts: { declarations: Declarations; requester: Requester; members: Members; follow: () => Promise<void> },
): Service {
  const { declarations, requester, members, follow } = parts
  const { backend, services, inbox, clock } = options
  let isFollowing = false
  let stopTrimming = () => {}

  const consuming = createService('messaging-members', {
    async start() {
      warnOfMemory(options)
      await declarations.start()
      requester.start()
      // The outbox knows its consumers for good.
      if (!isFollowing) await follow()
      isFollowing = true
      stopTrimming = keepTrimmed(inbox, clock, report)
      await members.start()
    },
    async stop(deadline) {
      stopTrimming()
      await members.stop(deadline)
      requester.stop()
      declarations.stop()
    },
  })
  const all = [...services, backend, consuming]
  return createService('messaging', {
    start: () => startAll(all),
    stop: (deadline) => stopAll(all, deadline),
  })
}

/** The subscriptions of this process. */
interface Subscribers {
  add(
    name: string,
    bindings: readonly Binding[],
    handler: MessageHandler,
    options: ReturnType<typeof resolveSubscriptionOptions>,
    schemaOf?: (exchange: string, topic: string) => TopicSchemas[string] | undefined,
  ): Subscription
  statuses(): SubscriptionStatus[]
}

function createSubscribers(
  { backend, clock, inbox }: ResolvedMessaging,
  parts: { members: Members; declarations: Declarations; policies: ReadonlyMap<string, Policy> },
): Subscribers {
  const { members, declarations, policies } = parts
  const known = new Map<string, Subscriber>()
  return {
    add(name, bindings, handler, options, schemaOf = () => undefined) {
      if (known.has(name)) throw taken('subscription', name)
      const { breaker, levels, ttl, maxLength, maxCrashes, attempts, waiting, timeout } = options
      const subscriber = new Subscriber({
        spec: { name, bindings, levels, ttl, maxLength, maxCrashes },
        options,
        backend,
        clock,
        policy: () => (breaker === undefined ? undefined : policyOf(policies, name, breaker)),
        attempts: {
          subscription: name,
          clock,
          handler,
          schemaOf,
          attempts,
          waiting,
          timeout,
          inbox,
          isPausedByBreaker: breaker !== undefined,
        },
      })
      known.set(name, subscriber)
      members.addUnawaited(afterItsExchanges(declarations, bindings, subscriber))
      return subscriber
    },
    statuses: () => [...known.values()].map(({ status }) => status),
  }
}

function createExchanges(parts: {
  options: ResolvedMessaging
  declarations: Declarations
  members: Members
  subscribers: Subscribers
  sender: ReturnType<typeof createSender>
}) {
  const { options, declarations, members, subscribers, sender } = parts
  const { backend } = options
  const known = new Map<string, { exchange: Exchange; topics: TopicSchemas | undefined }>()
  const schemaOf = (exchange: string, topic: string) => known.get(exchange)?.topics?.[topic]

  async function listen(bindings: readonly Binding[], handler: BroadcastHandler): Promise<() => Promise<void>> {
    const own = new BroadcastListener({ bindings, backend, handler, schemaOf })
    const listener = afterItsExchanges(declarations, bindings, own)
    try {
      await members.add(listener)
    } catch (error) {
      members.remove(listener)
      throw error
    }
    return async () => {
      members.remove(listener)
      await listener.stop()
    }
  }

  function get<Topics extends TopicSchemas>(name: string, { type = 'topic', topics }: ExchangeOptions<Topics> = {}) {
    const standing = known.get(name)
    if (standing) {
      if (standing.exchange.type !== type || (topics && topics !== standing.topics)) throw taken('exchange', name)
      return standing.exchange as unknown as Exchange<Topics>
    }
    checkName('an exchange', name)
    const exchange = createExchange({
      ...options,
      spec: { name, type },
      topics,
      sender,
      subscribe(subscription, bindings, handler, said: SubscriptionOptions | undefined) {
        checkName('a subscription', subscription)
        return subscribers.add(
          subscription,
          bindings,
          handler,
          resolveSubscriptionOptions(subscription, said),
          schemaOf,
        )
      },
      listen,
    })
    known.set(name, { exchange, topics })
    declarations.add({ name, type })
    return exchange as unknown as Exchange<Topics>
  }

  return { get }
}

/** A member that starts when the exchanges that it is bound to are declared. */
function afterItsExchanges(declarations: Declarations, bindings: readonly Binding[], member: Member): Member {
  return {
    async start() {
      for (const { exchange } of bindings) await declarations.ready(exchange)
      await member.start()
    },
    stop: (deadline) => member.stop(deadline),
  }
}

function policyOf(policies: ReadonlyMap<string, Policy>, subscription: string, name: string): Policy {
  const policy = policies.get(name)
  if (policy) return policy
  const known = [...policies.keys()].join(', ') || 'none'
  throw messagingError(
    'E_MESSAGE_NAME',
    `subscription '${subscription}' names policy '${name}'; known policies: ${known}`,
    {
      subscription,
      policy: name,
    },
  )
}

function taken(what: string, name: string): Error {
  return messagingError(
    'E_MESSAGE_NAME',
    `this process has a ${what} '${name}' already: use it, or choose another name`,
    {
      name,
    },
  )
}

function report(error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging', error: toError(error) })
}
