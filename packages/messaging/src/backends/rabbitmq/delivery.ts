import type { Delivery, Settlement } from '../../backend/consume_port.ts'
import type { AttemptNote, Message } from '../../message.ts'
import { type Acks, lost } from './acks.ts'
import type { ReadExtras, Wire } from './envelope.ts'
import type { LevelQueue } from './layout.ts'

/** How a delivery ends in the broker. */
export interface Settling {
  /** Resolves when the broker has its acknowledgement. */
  done(delivery: RabbitDelivery): Promise<void>
  settle(delivery: RabbitDelivery, settlement: Settlement): Promise<void>
  /** Nothing more of it is this consumer's. */
  left(delivery: RabbitDelivery): void
}

/** What has come from the broker. */
export interface Arrived {
  readonly queue: LevelQueue
  readonly tag: number
  readonly wire: Wire
  readonly acks: Acks
}

/** One delivery of the broker. */
export class RabbitDelivery implements Delivery {
  readonly message: Message
  readonly arrived: Arrived
  readonly extras: ReadExtras
  readonly #settling: Settling
  #state: 'open' | 'settling' | 'settled' | 'taken' = 'open'
  #abort: AbortController | undefined

  constructor(message: Message, arrived: Arrived, extras: ReadExtras, settling: Settling) {
    this.message = message
    this.arrived = arrived
    this.extras = extras
    this.#settling = settling
  }

  get notes(): readonly AttemptNote[] {
    return this.extras.notes
  }

  get isRedelivered(): boolean {
    return this.arrived.wire.fields.redelivered
  }

  get availableAt(): number | undefined {
    return this.message.publishedAt
  }

  /** Made when it is asked for: most handlers never do. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#state === 'taken') this.#abort.abort(lost())
    return this.#abort.signal
  }

  settle(settlement: Settlement): Promise<void> {
    if (this.#state !== 'open') return Promise.reject(lost())
    if (settlement.type !== 'done') return this.#settleElsewhere(settlement)
    const answer = this.#settling.done(this)
    this.leave()
    return answer
  }

  async #settleElsewhere(settlement: Settlement): Promise<void> {
    this.#state = 'settling'
    try {
      await this.#settling.settle(this, settlement)
    } catch (error) {
      // Not said to the broker: it may be said again, unless it was taken back meanwhile.
      this.#reopen()
      throw error
    }
    this.leave()
  }

  /** Nothing can be said of it any more: the broker has taken it back. */
  get isTaken(): boolean {
    return this.#state === 'taken'
  }

  #reopen(): void {
    if (this.#state === 'settling') this.#state = 'open'
  }

  /** It was settled. */
  leave(): void {
    this.#end('settled')
  }

  /** It was taken back. */
  take(): void {
    this.#end('taken')
    if (this.#state === 'taken') this.#abort?.abort(lost())
  }

  #end(state: 'settled' | 'taken'): void {
    if (this.#state === 'settled' || this.#state === 'taken') return
    this.#state = state
    this.#settling.left(this)
  }
}
