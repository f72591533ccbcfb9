import type { Cancel, Clock } from '@tailwater/core'
import type { Reply } from '../backend/reply_port.ts'
import { messagingError } from '../errors.ts'

/** Replies that may wait for who reads them; a stream that is not read must not fill the memory. */
const MAX_WAITING = 10_000

/** A request that waits for its replies. */
export class Pending {
  /** Rejects when the request has failed; never resolves. */
  readonly failed: Promise<never>
  outcome: 'answered' | 'failed' | 'timeout' | 'cancelled' = 'cancelled'
  replies = 0
  error: Error | undefined
  /** The last reply, or an error of the responder, is here: there is nobody to be told of an end. */
  isAnswered = false
  readonly #clock: Clock
  readonly #topic: string
  readonly #timeout: number
  #waiting: Reply[] = []
  #reject: (error: Error) => void = () => {}
  #tell: () => void = () => {}
  #cancelTimer: Cancel = () => {}
  #expected = 0

  constructor(clock: Clock, topic: string, timeout: number) {
    this.#clock = clock
    this.#topic = topic
    this.#timeout = timeout
    this.failed = new Promise((_, reject) => {
      this.#reject = reject
    })
    this.failed.catch(() => undefined)
    this.#startTimer()
  }

  /** The next reply, or what became of the request. */
  async next(): Promise<Reply> {
    for (;;) {
      const reply = this.#waiting.shift()
      if (reply) return reply
      if (this.error) throw this.error
      const told = new Promise<void>((resolve) => {
        this.#tell = resolve
      })
      await Promise.race([told, this.failed])
    }
  }

  /** A reply arrived. */
  answered(reply: Reply, error: Error | undefined): void {
    if (this.error || this.isAnswered) return
    // Told twice: by a transport that makes sure.
    if (reply.sequence < this.#expected) return
    const fault = reply.sequence > this.#expected ? lost(this.#topic, this.#expected) : error
    this.#expected++
    if (fault) {
      this.isAnswered = fault === error
      this.fail(fault)
    } else if (this.#waiting.length >= MAX_WAITING) this.fail(unread(this.#topic))
    else this.#keep(reply)
  }

  #keep(reply: Reply): void {
    this.replies++
    this.outcome = 'answered'
    this.#waiting.push(reply)
    this.#cancelTimer()
    if (reply.isLast) this.isAnswered = true
    else this.#startTimer()
    this.#tell()
  }

  fail(error: Error, outcome: 'failed' | 'timeout' | 'cancelled' = 'failed'): void {
    if (this.error) return
    this.error = error
    this.outcome = outcome
    this.#cancelTimer()
    this.#reject(error)
  }

  close(): void {
    this.#cancelTimer()
  }

  #startTimer(): void {
    this.#cancelTimer = this.#clock.after(this.#timeout, () => {
      const message = `no reply to '${this.#topic}' within ${this.#timeout} ms`
      this.fail(messagingError('E_MESSAGE_TIMEOUT', message, { topic: this.#topic }), 'timeout')
    })
  }
}

function lost(topic: string, sequence: number): Error {
  return messagingError('E_MESSAGE_REPLY_LOST', `reply ${sequence} to '${topic}' was lost on its way`, {
    topic,
    sequence,
  })
}

function unread(topic: string): Error {
  return messagingError(
    'E_MESSAGE_REPLY_LOST',
    `${MAX_WAITING} replies to '${topic}' wait to be read: the stream is given up`,
    { topic },
  )
}
