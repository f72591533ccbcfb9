import type { Transaction } from '@tailwater/postgres'
import type { Delivery } from '../backend/consume_port.ts'
import type { Inbox } from '../inbox/inbox.ts'
import { type AttemptNote, attemptsSoFar, type Level } from '../message.ts'

/** A message as a handler gets it. */
export interface ReceivedMessage<Body = unknown> {
  readonly id: string
  readonly exchange: string
  readonly topic: string
  readonly body: Body
  readonly headers: Readonly<Record<string, string>>
  readonly level: Level
  /** 1 for the first. */
  readonly attempt: number
  readonly maxAttempts: number
  /** What came of the attempts before. */
  readonly notes: readonly AttemptNote[]
  /** Somebody had it before and did not say what became of it: it may have been handled. */
  readonly redelivered: boolean
  /** By the publisher's clock, in milliseconds since the Unix epoch; undefined for foreign messages that do not say. */
  readonly publishedAt: number | undefined
  readonly requestId: string | undefined
  readonly replyTo: string | undefined
  readonly correlationId: string | undefined
  /** Aborts when the attempt takes too long, when the message was taken back, and when the process must stop. */
  readonly signal: AbortSignal
  /**
   * Runs a function once for this message and subscription, however often it is delivered; whether it ran now. With an inbox in PostgreSQL the function gets the
   * transaction in which that is noted; with one in Redis, or in memory, it is done as well as can be.
   */
  once(run: (tx: Transaction) => Promise<unknown> | unknown): Promise<boolean>
}

/** What a message knows beside its delivery. */
export interface ReceivedParts {
  readonly delivery: Delivery
  readonly subscription: string
  readonly body: unknown
  readonly maxAttempts: number
  readonly inbox: Inbox
}

/** One attempt at a message. The signal is made when somebody asks for it: most handlers do not. */
export class Received implements ReceivedMessage {
  readonly body: unknown
  readonly maxAttempts: number
  readonly #parts: ReceivedParts
  #controller: AbortController | undefined
  #signal: AbortSignal | undefined
  #reason: Error | undefined

  constructor(parts: ReceivedParts) {
    this.#parts = parts
    this.body = parts.body
    this.maxAttempts = parts.maxAttempts
  }

  get id() {
    return this.#parts.delivery.message.id
  }
  get exchange() {
    return this.#parts.delivery.message.exchange
  }
  get topic() {
    return this.#parts.delivery.message.topic
  }
  get headers() {
    return this.#parts.delivery.message.headers
  }
  get level() {
    return this.#parts.delivery.message.level
  }
  get attempt() {
    return attemptsSoFar(this.#parts.delivery.notes) + 1
  }
  get notes() {
    return this.#parts.delivery.notes
  }
  get redelivered() {
    return this.#parts.delivery.isRedelivered
  }
  get publishedAt() {
    return this.#parts.delivery.message.publishedAt
  }
  get requestId() {
    return this.#parts.delivery.message.requestId
  }
  get replyTo() {
    return this.#parts.delivery.message.replyTo
  }
  get correlationId() {
    return this.#parts.delivery.message.correlationId
  }

  get signal(): AbortSignal {
    if (this.#signal) return this.#signal
    this.#controller = new AbortController()
    this.#signal = AbortSignal.any([this.#parts.delivery.signal, this.#controller.signal])
    if (this.#reason) this.#controller.abort(this.#reason)
    return this.#signal
  }

  once(run: (tx: Transaction) => Promise<unknown> | unknown): Promise<boolean> {
    return this.#parts.inbox.once(this.#parts.subscription, this.id, run)
  }

  /** Tells the handler to stop. */
  abort(reason: Error): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
