import type { SubscriptionSpec } from '../../backend/topology_port.ts'
import type { Entry } from './entry.ts'
import type { Register } from './register.ts'
import type { Scratch } from './scratch.ts'
import type { Topology } from './topology.ts'

/*
 * The broker refuses a message (basic.nack) when a queue is full, and also when a quorum queue has lost its leader, and does not say which. The
 * first is the publisher's business; the second is over in a moment, and the message is published again. So who is refused looks whether any
 * queue with a limit that could have got the message is full.
 */

/** A quorum queue that was full takes nothing until it is down to this part of its limit. */
const FULL = 0.8
/** Milliseconds for which a look is good: refusals come in flocks. */
const FRESH = 100

/** Tells refusals of full queues from others. */
export class Fullness {
  readonly #register: Register
  readonly #topology: Topology
  readonly #scratch: Scratch
  readonly #now: () => number
  readonly #looks = new Map<string, { at: number; isFull: Promise<boolean> }>()

  constructor({
    register,
    topology,
    scratch,
    now,
  }: {
    register: Register
    topology: Topology
    scratch: Scratch
    now: () => number
  }) {
    this.#register = register
    this.#topology = topology
    this.#scratch = scratch
    this.#now = now
  }

  /** Whether a queue that the message may have been routed to is full. */
  isFull({ exchange, routingKey }: Pick<Entry, 'exchange' | 'routingKey'>): Promise<boolean> {
    const key = exchange || `\n${routingKey}`
    const look = this.#looks.get(key)
    if (look && this.#now() - look.at < FRESH) return look.isFull
    // A broker that cannot be asked has other worries than full queues.
    const isFull = this.#look(exchange, routingKey).catch(() => false)
    this.#looks.set(key, { at: this.#now(), isFull })
    return isFull
  }

  async #look(exchange: string, routingKey: string): Promise<boolean> {
    const { subscriptions } = await this.#register.read()
    const limited = Object.values(subscriptions).filter(
      (spec) => spec.maxLength !== undefined && this.#mayGet(spec, exchange, routingKey),
    )
    for (const spec of limited)
      for (const { name } of this.#topology.layout(spec).queues) {
        const { messageCount } = await this.#scratch.run((channel) => channel.checkQueue(name))
        if (messageCount >= Math.floor(spec.maxLength! * FULL)) return true
      }
    return false
  }

  #mayGet(spec: SubscriptionSpec, exchange: string, routingKey: string): boolean {
    const { queues, arrows } = this.#topology.layout(spec)
    if (exchange === '') return queues.some(({ name }) => name === routingKey)
    return arrows.some(({ source }) => source === exchange)
  }
}
