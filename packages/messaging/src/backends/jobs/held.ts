import type { ClaimedJob } from '@tailwater/jobs'
import type { Delivery, Settlement } from '../../backend/consume_port.ts'
import { messagingError } from '../../errors.ts'
import type { AttemptNote, Message } from '../../message.ts'

/** A message that this process holds. */
export class Held implements Delivery {
  readonly job: ClaimedJob
  readonly message: Message
  readonly availableAt: number
  readonly #settle: (held: Held, settlement: Settlement) => Promise<void>
  readonly #controller = new AbortController()
  notes: readonly AttemptNote[] = []
  isRedelivered = false
  isOver = false

  constructor(
    job: ClaimedJob,
    message: Message,
    availableAt: number,
    settle: (held: Held, settlement: Settlement) => Promise<void>,
  ) {
    this.job = job
    this.message = message
    this.availableAt = availableAt
    this.#settle = settle
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The store has taken it back. */
  lose(): void {
    this.isOver = true
    this.#controller.abort(lostError(this.message))
  }

  settle(settlement: Settlement): Promise<void> {
    if (this.isOver) return Promise.reject(lostError(this.message))
    this.isOver = true
    return this.#settle(this, settlement)
  }
}

/** The error of a settlement that comes too late. */
export function lostError({ id, topic }: Pick<Message, 'id' | 'topic'>): Error {
  return messagingError(
    'E_MESSAGE_LOST',
    `message ${id} (${topic}) is not held any more: it was settled, or taken back`,
    {
      messageId: id,
    },
  )
}
