import type { Consumer, Delivery } from '../../backend/consume_port.ts'

/** What a consumer of a clause was given. */
export class Inbox {
  consumer: Consumer | undefined
  readonly #arrived: Delivery[] = []
  readonly #waiting: ((delivery: Delivery) => void)[] = []

  put(delivery: Delivery): void {
    const next = this.#waiting.shift()
    if (next) next(delivery)
    else this.#arrived.push(delivery)
  }

  /** Deliveries that nobody has asked for yet. */
  get count(): number {
    return this.#arrived.length
  }

  /** The next delivery, now or when it comes. */
  next(): Promise<Delivery> {
    const arrived = this.#arrived.shift()
    if (arrived) return Promise.resolve(arrived)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  async take(count: number): Promise<Delivery[]> {
    const taken: Delivery[] = []
    while (taken.length < count) taken.push(await this.next())
    return taken
  }

  /** Takes and settles as done; the topics in their order. */
  async finish(count: number): Promise<string[]> {
    const deliveries = await this.take(count)
    await Promise.all(deliveries.map((delivery) => delivery.settle({ type: 'done' })))
    return deliveries.map(({ message }) => message.topic)
  }
}
