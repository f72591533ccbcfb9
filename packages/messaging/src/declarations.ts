import { backgroundError, toError } from '@tailwater/core'
import type { ExchangeSpec, TopologyPort } from './backend/topology_port.ts'
import { messagingError } from './errors.ts'

/** The exchanges that this process declares: when messaging starts, or at once if it has started. */
export class Declarations {
  readonly #port: TopologyPort
  readonly #exchanges = new Map<string, ExchangeSpec>()
  readonly #made = new Map<string, Promise<void>>()
  #isRunning = false

  constructor(port: TopologyPort) {
    this.#port = port
  }

  add(exchange: ExchangeSpec): void {
    this.#exchanges.set(exchange.name, exchange)
    if (!this.#isRunning) return
    // Whoever publishes to it hears of it, too.
    this.ready(exchange.name).catch((error: unknown) => {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging', error: toError(error) })
    })
  }

  /** Resolves when an exchange is there. @throws E_MESSAGE_NOT_STARTED, E_MESSAGE_TOPOLOGY */
  ready(name: string): Promise<void> {
    if (!this.#isRunning)
      return Promise.reject(messagingError('E_MESSAGE_NOT_STARTED', 'messaging is not started, or stopped'))
    const known = this.#made.get(name)
    if (known) return known
    const exchange = this.#exchanges.get(name)
    const made = exchange ? this.#port.declareExchange(exchange) : Promise.resolve()
    this.#made.set(name, made)
    // One that failed is tried again by the next who needs it.
    made.catch(() => this.#made.delete(name))
    return made
  }

  async start(): Promise<void> {
    this.#isRunning = true
    try {
      for (const name of this.#exchanges.keys()) await this.ready(name)
    } catch (error) {
      this.stop()
      throw error
    }
  }

  stop(): void {
    this.#isRunning = false
    this.#made.clear()
  }
}
