import {
  type Clock,
  currentContext,
  type Duration,
  duration,
  type IdSource,
  messageRequest,
  optional,
  resolveOptions,
  TailwaterError,
  toError,
  value,
} from '@tailwater/core'
import type { Reply } from '../backend/reply_port.ts'
import type { MessagingBackend } from '../backend.ts'
import { messagingError } from '../errors.ts'
import { decodeBody, encodeBody } from '../publish/body.ts'
import { outgoingOf, resolvePublishOptions } from '../publish/publish_options.ts'
import type { Sender } from '../publish/sender.ts'
import { Pending } from './pending.ts'

/** Exchange of requests: direct, so that a topic is a responder's name. No application can have one of its name. */
export const REQUESTS = 'tailwater.requests'

/** How one request is made. */
export interface RequestOptions {
  /** How long to wait: for the reply, or of a stream for the next one. @default '10s' */
  timeout?: Duration
  headers?: Readonly<Record<string, string>>
  /** Stops waiting, and tells the responder. */
  signal?: AbortSignal
}

const fields = {
  timeout: duration({ min: 1, default: '10s' }),
  headers: optional(
    value<Readonly<Record<string, string>>>('an object of texts', (given) => typeof given === 'object'),
  ),
  signal: optional(value<AbortSignal>('an AbortSignal', (given) => given instanceof AbortSignal)),
}

/** What a requester needs. */
export interface RequesterParts {
  readonly backend: MessagingBackend
  readonly sender: Sender
  readonly clock: Clock
  readonly ids: IdSource
  readonly maxBody: number
}

/** Asks, and waits for replies. */
export class Requester {
  readonly #parts: RequesterParts
  readonly #pending = new Map<string, Pending>()
  #unhear: () => void = () => {}

  constructor(parts: RequesterParts) {
    this.#parts = parts
  }

  start(): void {
    this.#unhear = this.#parts.backend.replies.onReply((reply) => this.#hear(reply))
  }

  stop(): void {
    this.#unhear()
    for (const pending of this.#pending.values())
      pending.fail(messagingError('E_MESSAGE_CANCELLED', 'messaging stopped while the request waited for its reply'))
  }

  /** The first reply's value. */
  async ask(topic: string, body: unknown, options: RequestOptions | undefined): Promise<unknown> {
    for await (const value of this.stream(topic, body, options)) return value
    return undefined
  }

  /** Every reply's value, as they come. */
  async *stream(topic: string, body: unknown, given: RequestOptions | undefined): AsyncGenerator<unknown, void> {
    const { clock, ids, backend } = this.#parts
    const options = resolveOptions('request', given, fields)
    options.signal?.throwIfAborted()
    const correlationId = ids()
    const pending = new Pending(clock, topic, options.timeout)
    const onAbort = () => pending.fail(toError(options.signal!.reason), 'cancelled')
    options.signal?.addEventListener('abort', onAbort, { once: true })
    this.#pending.set(correlationId, pending)
    let isOver = false
    const startedAt = clock.elapsed()
    const requestId = currentContext()?.requestId
    try {
      await Promise.race([this.#send(topic, body, correlationId, options), pending.failed])
      for (;;) {
        const reply = await pending.next()
        isOver = reply.isLast
        if (reply.body !== undefined)
          yield decodeBody({ body: reply.body, contentType: reply.contentType, topic: `reply to ${topic}` })
        if (reply.isLast) return
      }
    } catch (error) {
      pending.fail(toError(error))
      throw error
    } finally {
      options.signal?.removeEventListener('abort', onAbort)
      this.#pending.delete(correlationId)
      pending.close()
      if (!isOver && !pending.isAnswered) void backend.replies.cancel(correlationId).catch(() => undefined)
      publish(requestId, topic, correlationId, pending, clock.elapsed() - startedAt)
    }
  }

  async #send(
    topic: string,
    body: unknown,
    correlationId: string,
    { timeout, headers }: { timeout: number; headers: Readonly<Record<string, string>> | undefined },
  ): Promise<void> {
    const { backend, sender, maxBody } = this.#parts
    const encoded = encodeBody(`request '${topic}'`, body, maxBody)
    const options = resolvePublishOptions({ ttl: timeout, ...(headers && { headers }) })
    const { message } = outgoingOf(REQUESTS, topic, encoded, options, this.#parts)
    const outgoing = { message: { ...message, replyTo: backend.replies.address, correlationId } }
    try {
      await sender.send([outgoing], { mandatory: true, tx: undefined, signal: undefined })
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'E_MESSAGE_UNROUTABLE') throw error
      throw messagingError('E_MESSAGE_NO_RESPONDER', `nobody responds to '${topic}'`, { topic, cause: error })
    }
  }

  #hear(reply: Reply): void {
    const pending = this.#pending.get(reply.correlationId)
    if (!pending) return
    if (reply.error) {
      const { code, message, details } = reply.error
      const fields = typeof details === 'object' && details !== null ? details : {}
      pending.answered(reply, new TailwaterError(code, message, { ...fields, isRemote: true }))
    } else pending.answered(reply, undefined)
  }
}

function publish(
  requestId: string | undefined,
  topic: string,
  correlationId: string,
  { outcome, replies, error }: Pending,
  ms: number,
): void {
  if (!messageRequest.hasSubscribers) return
  messageRequest.publish({ requestId, topic, correlationId, outcome, replies, ms, error })
}
