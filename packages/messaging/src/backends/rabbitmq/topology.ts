import { hasCode } from '@tailwater/core'
import type { ExchangeSpec, SubscriptionSpec, TopologyPort } from '../../backend/topology_port.ts'
import { messagingError } from '../../errors.ts'
import { type Channel, type ChannelModel, closeQuietly, openChannel, replyCode } from './amqp.ts'
import { type Arrow, arrowsWithout, keepingArguments, type Layout, layoutOf } from './layout.ts'
import { explainDeclaration } from './mismatch.ts'
import type { Names } from './names.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Register, TopologyRecord } from './register.ts'
import type { Scratch } from './scratch.ts'

/** Takes what waits in one queue to another, each message confirmed there first. */
export type MoveAll = (from: string, to: string) => Promise<void>

/** Declares what there is, remembers it, and declares it again on a new connection. */
export class Topology implements TopologyPort {
  readonly #options: ResolvedRabbitMqOptions
  readonly #names: Names
  readonly #scratch: Scratch
  readonly #register: Register
  readonly #exchanges = new Map<string, ExchangeSpec>()
  readonly #subscriptions = new Map<string, SubscriptionSpec>()
  /** Exchanges that were there when somebody looked. */
  readonly #seen = new Set<string>()
  readonly #moveAll: MoveAll

  constructor(
    options: ResolvedRabbitMqOptions,
    { names, scratch, register, moveAll }: { names: Names; scratch: Scratch; register: Register; moveAll: MoveAll },
  ) {
    this.#options = options
    this.#names = names
    this.#scratch = scratch
    this.#register = register
    this.#moveAll = moveAll
  }

  async declareExchange(exchange: ExchangeSpec): Promise<void> {
    await this.#on((channel) => this.#assertExchange(channel, exchange))
    const { name, type } = exchange
    this.#exchanges.set(name, { name, type })
    this.#seen.add(name)
    await this.#register.change((record) =>
      record.exchanges[name]?.type === type
        ? record
        : { ...record, exchanges: { ...record.exchanges, [name]: { name, type } } },
    )
  }

  async declareSubscription(subscription: SubscriptionSpec): Promise<void> {
    for (const { exchange } of subscription.bindings) await this.requireExchange(exchange)
    const layout = this.#layoutOf(subscription)
    checkLengths(subscription.name, layout)
    await this.#on((channel) => assertLayout(channel, layout, this.#options)).catch((error: unknown) =>
      this.#rejectMismatch(error),
    )
    await this.#register.change(async (record) => {
      const before = record.subscriptions[subscription.name]
      if (before) await this.#takeAway(this.#layoutOf(before), layout)
      return { ...record, subscriptions: { ...record.subscriptions, [subscription.name]: plain(subscription) } }
    })
    this.#subscriptions.set(subscription.name, subscription)
  }

  async removeSubscription(name: string): Promise<boolean> {
    const known = await this.find(name)
    this.#subscriptions.delete(name)
    if (!known) return false
    const layout = this.#layoutOf(known)
    await this.#on(async (channel) => {
      for (const queue of layout.queues) await channel.deleteQueue(queue.name)
      for (const exchange of layout.exchanges.toReversed()) await channel.deleteExchange(exchange.name)
    })
    await this.#register.change((record) => {
      const { [name]: _, ...subscriptions } = record.subscriptions
      return { ...record, subscriptions }
    })
    return true
  }

  /** The subscription of this name, by whichever process it was declared. */
  async find(name: string): Promise<SubscriptionSpec | undefined> {
    return this.#subscriptions.get(name) ?? (await this.#register.read()).subscriptions[name]
  }

  /** @throws E_MESSAGE_TOPOLOGY when there is none */
  async require(name: string): Promise<SubscriptionSpec> {
    const spec = await this.find(name)
    if (spec) return spec
    throw messagingError('E_MESSAGE_TOPOLOGY', `there is no subscription '${name}': declare it first`, {
      subscription: name,
    })
  }

  layout(subscription: SubscriptionSpec): Layout {
    return this.#layoutOf(subscription)
  }

  /** Whether an exchange is known to be there, without asking. */
  knows(exchange: string): boolean {
    return this.#seen.has(exchange)
  }

  /** An exchange that was there and is not any more. */
  forget(exchange: string): void {
    this.#seen.delete(exchange)
  }

  /** @throws E_MESSAGE_EXCHANGE_UNKNOWN when there is no such exchange */
  async requireExchange(exchange: string): Promise<void> {
    if (this.#seen.has(exchange)) return
    await this.#on((channel) => channel.checkExchange(this.#names.exchange(exchange)))
    this.#seen.add(exchange)
  }

  /** Declares again what this process has declared. What is not as it was is an error of `declareSubscription`, not of a connection. */
  async restore(connection: ChannelModel): Promise<void> {
    const exchanges = [...this.#exchanges.values()]
    const own = [...this.#subscriptions.values()]
    const record = own.length > 0 ? await this.#recorded(connection) : undefined
    // Who declared a subscription last is right, and that may have been another process.
    const layouts = own.map((spec) => this.#layoutOf(record?.subscriptions[spec.name] ?? spec))
    await restoreEach(connection, [
      ...exchanges.map((exchange) => (channel: Channel) => this.#assertExchange(channel, exchange)),
      ...layouts.map((layout) => (channel: Channel) => assertLayout(channel, layout, this.#options)),
    ])
  }

  async #recorded(connection: ChannelModel): Promise<TopologyRecord | undefined> {
    const channel = await openChannel(connection)
    try {
      return await this.#register.peek(channel)
    } catch (error) {
      // It was deleted with the rest.
      if (!OF_THE_DECLARATION.has(replyCode(error) ?? 0)) throw error
      return undefined
    } finally {
      await closeQuietly(channel)
    }
  }

  #layoutOf(spec: SubscriptionSpec): Layout {
    return layoutOf(this.#names, spec, this.#options)
  }

  async #assertExchange(channel: Channel, { name, type }: ExchangeSpec): Promise<void> {
    await channel.assertExchange(this.#names.exchange(name), type, { durable: true })
  }

  /** What a subscription was and is no longer. */
  async #takeAway(before: Layout, now: Layout): Promise<void> {
    const kept = new Set(now.queues.map(({ name }) => name))
    const gone = before.queues.filter(({ name }) => !kept.has(name))
    await this.#on(async (channel) => {
      for (const arrow of arrowsWithout(before.arrows, now.arrows)) await unbind(channel, arrow)
      for (const exchange of before.exchanges.toReversed())
        if (!now.exchanges.some(({ name }) => name === exchange.name)) await channel.deleteExchange(exchange.name)
    })
    // What waits in a level that is not kept apart any more joins the main queue; consumers that do not know yet lose the empty one.
    for (const { name } of gone) {
      await this.#moveAll(name, now.queues.at(-1)!.name)
      await this.#on((channel) => channel.deleteQueue(name))
    }
  }

  /** The broker names the first argument that differs, and not the kind, from which all others may follow: that is asked for alone. */
  async #rejectMismatch(error: unknown): Promise<never> {
    const { queueType } = this.#options
    const name = hasCode(error, 'E_MESSAGE_TOPOLOGY') && error.details['kind'] === 'queue' && error.details['name']
    if (name)
      await this.#on((channel) =>
        channel.assertQueue(`${name}`, { durable: true, arguments: { 'x-queue-type': queueType } }),
      ).catch((other: unknown) => {
        if (hasCode(other, 'E_MESSAGE_TOPOLOGY') && other.details['argument'] === 'x-queue-type') throw other
      })
    throw error
  }

  async #on<T>(act: (channel: Channel) => Promise<T>): Promise<T> {
    try {
      return await this.#scratch.run(act)
    } catch (error) {
      throw explainDeclaration(error)
    }
  }
}

/** JSON drops what is undefined; a record must not change by that. */
const plain = (spec: SubscriptionSpec): SubscriptionSpec => JSON.parse(JSON.stringify(spec)) as SubscriptionSpec

/** Bytes of a name in AMQP. */
const LONGEST_NAME = 255

/** @throws E_MESSAGE_NAME when there is no room for the names of what a subscription needs: those who answer requests have a topic in theirs */
function checkLengths(subscription: string, { dead, queues, exchanges }: Layout): void {
  for (const name of [dead, ...[...queues, ...exchanges].map((one) => one.name)])
    if (Buffer.byteLength(name) > LONGEST_NAME)
      throw messagingError(
        'E_MESSAGE_NAME',
        `subscription '${subscription}' needs the name '${name}' in RabbitMQ, which has room for ${LONGEST_NAME} bytes: use a shorter name or topic`,
        { subscription, name },
      )
}

async function assertLayout(channel: Channel, layout: Layout, style: ResolvedRabbitMqOptions): Promise<void> {
  await channel.assertQueue(layout.dead, { durable: true, arguments: keepingArguments(style) })
  for (const { name } of layout.queues)
    await channel.assertQueue(name, { durable: true, arguments: { ...layout.queueArguments } })
  for (const { name, type, alternate } of layout.exchanges)
    await channel.assertExchange(name, type, { durable: true, ...(alternate && { alternateExchange: alternate }) })
  for (const arrow of layout.arrows) await bind(channel, arrow)
}

const bind = (channel: Channel, { to, destination, source, pattern, arguments: given }: Arrow) =>
  to === 'queue'
    ? channel.bindQueue(destination, source, pattern, given)
    : channel.bindExchange(destination, source, pattern, given)

const unbind = (channel: Channel, { to, destination, source, pattern, arguments: given }: Arrow) =>
  to === 'queue'
    ? channel.unbindQueue(destination, source, pattern, given)
    : channel.unbindExchange(destination, source, pattern, given)

/** Errors that the broker answers by closing the channel: what is declared is at fault, and not the connection. */
const OF_THE_DECLARATION = new Set([403, 404, 405, 406])

async function restoreEach(
  connection: ChannelModel,
  steps: readonly ((channel: Channel) => Promise<void>)[],
): Promise<void> {
  let channel = await openChannel(connection)
  for (const step of steps) {
    try {
      await step(channel)
    } catch (error) {
      if (!OF_THE_DECLARATION.has(replyCode(error) ?? 0)) throw error
      channel = await openChannel(connection)
    }
  }
  await closeQuietly(channel)
}
