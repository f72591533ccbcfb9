import type { InspectPort, SubscriptionState } from '../../backend/inspect_port.ts'
import type { ExchangeSpec, SubscriptionSpec } from '../../backend/topology_port.ts'
import type { DeadLetters } from './dead_letters.ts'
import type { Link } from './link.ts'
import { type QueueFigures, readFigures } from './management.ts'
import { explainDeclaration } from './mismatch.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Publisher } from './publisher.ts'
import type { Register } from './register.ts'
import type { Scratch } from './scratch.ts'
import type { Topology } from './topology.ts'

/** What is looked at. */
export interface InspectGround {
  readonly options: ResolvedRabbitMqOptions
  readonly register: Register
  readonly topology: Topology
  readonly scratch: Scratch
  readonly deadLetters: DeadLetters
  readonly publisher: Publisher
  readonly links: readonly Link[]
}

/** What there is, by the record of what was declared; depths by passive declaration; rates by the management API where it is given. */
export class Inspect implements InspectPort {
  readonly #ground: InspectGround

  constructor(ground: InspectGround) {
    this.#ground = ground
  }

  async exchanges(): Promise<ExchangeSpec[]> {
    return Object.values((await this.#ground.register.read()).exchanges)
  }

  async subscriptions(): Promise<SubscriptionState[]> {
    const { subscriptions } = await this.#ground.register.read()
    const figures = await readFigures(this.#ground.options)
    const states: SubscriptionState[] = []
    for (const spec of Object.values(subscriptions)) states.push(await this.#stateOf(spec, figures))
    return states
  }

  async subscription(name: string): Promise<SubscriptionState | undefined> {
    const spec = await this.#ground.topology.find(name)
    return spec && this.#stateOf(spec, await readFigures(this.#ground.options))
  }

  async waiting(name: string): Promise<number> {
    const spec = await this.#ground.topology.require(name)
    return (await this.#depthOf(spec)).waiting
  }

  async health(): Promise<{ isUp: boolean; isBlocked: boolean; detail: string }> {
    const { links, publisher, options } = this.#ground
    const isUp = links.every((link) => link.isUp)
    const isBlocked = links.some((link) => link.isBlocked)
    const where = options.addresses.map(({ hostname, port }) => `${hostname}:${port}`).join(', ')
    const pending = publisher.pending
    if (!isUp) {
      const error = links.map((link) => link.lastError).find(Boolean)
      return { isUp, isBlocked, detail: `no connection to RabbitMQ at ${where}: ${error?.message ?? 'not started'}` }
    }
    const state = isBlocked ? 'takes nothing: its memory or disk is used up' : 'connected'
    return { isUp, isBlocked, detail: `RabbitMQ at ${where}: ${state}; ${pending} messages unconfirmed` }
  }

  async #stateOf(spec: SubscriptionSpec, figures: Map<string, QueueFigures> | undefined): Promise<SubscriptionState> {
    const { queues } = this.#ground.topology.layout(spec)
    const told = queues.map(({ name }) => figures?.get(name))
    const depth = await this.#depthOf(spec)
    return {
      name: spec.name,
      bindings: spec.bindings,
      ...depth,
      unsettled: sum(told.map((queue) => queue?.messages_unacknowledged)),
      dead: await this.#ground.deadLetters.count(spec.name),
      rates: {
        in: figures && sum(told.map((queue) => queue?.message_stats?.publish_details?.rate ?? 0)),
        out: figures && sum(told.map((queue) => queue?.message_stats?.deliver_get_details?.rate ?? 0)),
      },
      oldest: undefined,
    }
  }

  async #depthOf(spec: SubscriptionSpec): Promise<{ waiting: number; consumers: number }> {
    const { queues } = this.#ground.topology.layout(spec)
    try {
      const replies = await this.#ground.scratch.run(async (channel) => {
        const told: { messageCount: number; consumerCount: number }[] = []
        for (const { name } of queues) told.push(await channel.checkQueue(name))
        return told
      })
      return {
        waiting: replies.reduce((all, { messageCount }) => all + messageCount, 0),
        consumers: Math.max(...replies.map(({ consumerCount }) => consumerCount)),
      }
    } catch (error) {
      throw explainDeclaration(error)
    }
  }
}

/** The sum, if all are known. */
function sum(figures: readonly (number | undefined)[]): number | undefined {
  return figures.every((figure) => figure !== undefined) ? figures.reduce((all, figure) => all + figure, 0) : undefined
}
