import { hasCode, newId, sleep, systemClock } from '@tailwater/core'
import type { Message, MessagingBackend } from '@tailwater/messaging'

/** Callers that publish at the same time, each awaiting its confirmation. */
const LANES = 64

/** Publishes until so many messages are confirmed; what fails is published again under the same id, as its error says. */
export class MessagePublisher {
  readonly confirmed = new Set<string>()
  readonly refusals: Record<string, number> = {}
  readonly #backend: MessagingBackend
  readonly #exchange: string
  #started = 0

  constructor(backend: MessagingBackend, exchange: string) {
    this.#backend = backend
    this.#exchange = exchange
  }

  /** @param rate messages a second at most, so that what is done to the broker happens amid them */
  async publish(total: number, rate: number): Promise<void> {
    const lane = async () => {
      while (this.#started < total) {
        this.#started++
        await this.publishOne(newId())
        await sleep(systemClock, (1_000 * LANES) / rate)
      }
    }
    await Promise.all(Array.from({ length: LANES }, lane))
  }

  /** Publishes one message until it is confirmed. */
  async publishOne(id: string): Promise<void> {
    const message: Message = {
      ...{ id, exchange: this.#exchange, topic: 'order.placed', body: JSON.stringify({ id }), headers: {} },
      ...{ contentType: 'application/json', level: 'normal', publishedAt: systemClock.now() },
    }
    for (;;) {
      try {
        const [outcome] = await this.#backend.publish.send([{ message }])
        if (outcome !== 'confirmed') throw new Error(`a message is ${outcome}`)
        this.confirmed.add(id)
        return
      } catch (error) {
        if (!hasCode(error, 'E_MESSAGE_UNCONFIRMED') && !hasCode(error, 'E_MESSAGE_BLOCKED')) throw error
        this.refusals[error.code] = (this.refusals[error.code] ?? 0) + 1
      }
    }
  }
}
