import type { Delivery, Settlement } from '../../backend/consume_port.ts'
import type { AttemptNote, Message } from '../../message.ts'
import { lost } from './acks.ts'
import type { ReadExtras, Wire } from './envelope.ts'

/** How a delivery ends in the broker. */
export interface Settling {
  settle(delivery: RabbitDelivery, settlement: Settlement): Promise<void>
  /** Nothing more of it is this consumer's. */
  left(delivery: RabbitDelivery): void
}

/** One delivery of the broker. */
export class RabbitDelivery implements Delivery {
  readonly message: Message
  readonly tag: number
  readonly wire: Wire
  readonly extras: ReadExtras
  readonly #settling: Settling
  #state: 'open' | 'settling' | 'left' = 'open'
  #abort: AbortController | undefined

  constructor(message: Message, given: { tag: number; wire: Wire; extras: ReadExtras; settling: Settling }) {
    this.message = message
    this.tag = given.tag
    this.wire = given.wire
    this.extras = given.extras
    this.#settling = given.settling
  }

  get notes(): readonly AttemptNote[] {
    return this.extras.notes
  }

  get isRedelivered(): boolean {
    return this.wire.fields.redelivered
  }

  get availableAt(): number | undefined {
    return this.message.publishedAt
  }

  /** Made when it is asked for: most handlers never do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#state === 'left' && this.#wasTaken && !this.#abort.signal.aborted) this.#abort.abort(lost())
    return this.#abort.signal
  }

  #wasTaken = false

  async settle(settlement: Settlement): Promise<void> {
    if (this.#state !== 'open') throw lost()
    this.#state = 'settling'
    try {
      await this.#settling.settle(this, settlement)
    } catch (error) {
      // Not said to the broker: it may be said again, unless it was taken back meanwhile.
      if (this.isSettling) this.#state = 'open'
      throw error
    }
    this.leave()
  }

  private get isSettling(): boolean {
    return this.#state === 'settling'
  }

  /** It was settled. */
  leave(): void {
    if (this.#state === 'left') return
    this.#state = 'left'
    this.#settling.left(this)
  }

  /** It was taken back. */
  take(): void {
    if (this.#state === 'left') return
    this.#wasTaken = true
    this.#abort?.abort(lost())
    this.leave()
  }
}
