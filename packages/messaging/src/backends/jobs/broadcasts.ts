import { type Bus, backgroundError, type Cancel, type Clock, type IdSource, toError } from '@tailwater/core'
import type { Binding } from '../../backend/topology_port.ts'
import type { Message } from '../../message.ts'
import { matcherOf, unknownExchange } from '../../routing/router.ts'
import type { Listener, RoutingStore } from '../../routing/routing_table.ts'
import { decodeMessage, encodeMessage } from './message_job.ts'

/** Topic of the bus. */
const TOPIC = 'messages:broadcast'
/** Milliseconds for which a listener is known without a sign of life, and between two signs. */
const LISTENER_TTL = 60_000
const RENEWAL = 20_000

/** On the bus. */
interface Wire {
  payload: string
  requestId?: string | undefined
  traceparent?: string | undefined
}

/**
 * Messages for those who listen without a queue, over the bus.
 *
 * Listeners stand in the routing table while they live, so that a publisher knows whether anybody listens: without one nothing goes to the bus.
 */
export class Broadcasts {
  readonly #bus: Bus
  readonly #routing: RoutingStore
  readonly #clock: Clock
  readonly #ids: IdSource
  readonly #listeners = new Map<string, Listener & { hear: (message: Message) => void }>()
  #listening: Promise<() => Promise<void>> | undefined
  #cancelRenewal: Cancel = () => {}

  constructor(parts: { bus: Bus; routing: RoutingStore; clock: Clock; ids: IdSource }) {
    this.#bus = parts.bus
    this.#routing = parts.routing
    this.#clock = parts.clock
    this.#ids = parts.ids
  }

  async publish(messages: readonly Message[]): Promise<void> {
    const wires = messages.map((message): Wire => {
      const { requestId, traceparent } = message
      return { payload: encodeMessage(message), requestId, traceparent }
    })
    await Promise.all(wires.map((wire) => this.#bus.publish(TOPIC, wire)))
  }

  async listen(bindings: readonly Binding[], onMessage: (message: Message) => void): Promise<() => Promise<void>> {
    const fits = await this.#matcher(bindings)
    this.#listening ??= this.#open()
    await this.#listening
    const id = this.#ids()
    const hear = (message: Message) => {
      if (fits(message)) onMessage(message)
    }
    this.#listeners.set(id, { id, bindings, hear })
    await this.#routing.putListener({ id, bindings }, LISTENER_TTL)
    return async () => {
      if (!this.#listeners.delete(id)) return
      await this.#routing.removeListener(id)
    }
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    this.#cancelRenewal()
    const ids = [...this.#listeners.keys()]
    this.#listeners.clear()
    const stop = await this.#listening?.catch(() => undefined)
    this.#listening = undefined
    await stop?.()
    for (const id of ids) await this.#routing.removeListener(id).catch(report)
  }

  /** The types of exchanges never change, so that a matcher holds for good. */
  async #matcher(bindings: readonly Binding[]): Promise<(message: Message) => boolean> {
    const { exchanges } = await this.#routing.read()
    const types = new Map(exchanges.map(({ name, type }) => [name, type]))
    const tests = bindings.map(({ exchange, pattern }) => {
      const type = types.get(exchange)
      if (!type) throw unknownExchange(exchange, [...types.keys()])
      return { exchange, fits: matcherOf(type, pattern) }
    })
    return ({ exchange, topic }) => tests.some((test) => test.exchange === exchange && test.fits(topic))
  }

  async #open(): Promise<() => Promise<void>> {
    const stop = await this.#bus.subscribe(TOPIC, {
      onMessage: ({ payload }) => this.#dispatch(payload as Wire),
      // At most once: what was missed is missed.
      onGap: () => undefined,
    })
    this.#planRenewal()
    return stop
  }

  #planRenewal(): void {
    this.#cancelRenewal = this.#clock.after(RENEWAL, () => {
      this.#planRenewal()
      for (const { id, bindings } of this.#listeners.values())
        void this.#routing.putListener({ id, bindings }, LISTENER_TTL).catch(report)
    })
  }

  #dispatch({ payload, requestId, traceparent }: Wire): void {
    if (this.#listeners.size === 0) return
    const message = decodeMessage({ payload, requestId, traceparent })
    for (const { hear } of this.#listeners.values()) {
      try {
        hear(message)
      } catch (error) {
        report(error)
      }
    }
  }
}

function report(error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging-broadcasts', error: toError(error) })
}
