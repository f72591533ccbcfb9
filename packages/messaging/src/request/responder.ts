import { backgroundError, type Clock, toError } from '@tailwater/core'
import type { StandardSchema } from '@tailwater/jobs'
import type { Reply, ReplyPort } from '../backend/reply_port.ts'
import type { ReceivedMessage } from '../consume/received_message.ts'
import { messagingError } from '../errors.ts'
import { checkBody, encodeBody } from '../publish/body.ts'

/** A request as a responder gets it. */
export interface ReceivedRequest<Body = unknown>
  extends Pick<ReceivedMessage<Body>, 'id' | 'topic' | 'body' | 'headers' | 'requestId'> {
  /** Aborts when nobody waits for the reply any more, when it takes too long, and when the process must stop. */
  readonly signal: AbortSignal
}

/** What answers: with a value, or with several, one after the other. What it throws is thrown at the one who asks, code and all. */
export type RequestHandler<Body = unknown> = (
  request: ReceivedRequest<Body>,
) => AsyncIterable<unknown> | Promise<unknown> | unknown

/** What a responder is made of. */
export interface ResponderParts {
  readonly topic: string
  readonly handler: RequestHandler
  readonly schema: StandardSchema | undefined
  readonly replies: ReplyPort
  readonly clock: Clock
  /** Milliseconds. */
  readonly timeout: number
  readonly maxBody: number
}

/** Answers requests of one topic. */
export class Responder {
  readonly #parts: ResponderParts
  readonly #running = new Map<string, AbortController>()
  #unhear: () => void = () => {}

  constructor(parts: ResponderParts) {
    this.#parts = parts
  }

  start(): void {
    this.#unhear = this.#parts.replies.onCancel((correlationId) =>
      this.#running
        .get(correlationId)
        ?.abort(messagingError('E_MESSAGE_CANCELLED', 'nobody waits for this reply any more')),
    )
  }

  stop(): void {
    this.#unhear()
  }

  /** Handles one request. It never fails: what goes wrong is the reply. */
  async handle(message: ReceivedMessage): Promise<void> {
    const { replyTo, correlationId } = message
    // A foreign message with nobody to answer to.
    if (replyTo === undefined || correlationId === undefined) return
    const controller = new AbortController()
    this.#running.set(correlationId, controller)
    const answer = new Answer(this.#parts, replyTo, correlationId)
    let cancel = () => {}
    const over = new Promise<never>((_, reject) => {
      cancel = this.#parts.clock.after(this.#parts.timeout, () => {
        const error = messagingError(
          'E_MESSAGE_TIMEOUT',
          `no answer to '${message.topic}' within ${this.#parts.timeout} ms`,
        )
        reject(error)
        controller.abort(error)
      })
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
    })
    try {
      await Promise.race([this.#respond(message, controller, answer), over])
    } catch (error) {
      await answer.fail(toError(error))
    } finally {
      cancel()
      this.#running.delete(correlationId)
      controller.abort(messagingError('E_MESSAGE_CANCELLED', 'the request is over'))
    }
  }

  async #respond(message: ReceivedMessage, controller: AbortController, answer: Answer): Promise<void> {
    const { handler, schema } = this.#parts
    const { id, topic, headers, requestId } = message
    const body = await checkBody(schema, `request '${topic}'`, message.body)
    const signal = AbortSignal.any([message.signal, controller.signal])
    const result = await handler({ id, topic, headers, requestId, body, signal })
    if (!isAsyncIterable(result)) return answer.last(result)
    for await (const part of result) {
      signal.throwIfAborted()
      await answer.part(part)
    }
    await answer.last(undefined)
  }
}

/** The replies to one request. */
class Answer {
  readonly #parts: ResponderParts
  readonly #address: string
  readonly #correlationId: string
  #sequence = 0
  #isOver = false

  constructor(parts: ResponderParts, address: string, correlationId: string) {
    this.#parts = parts
    this.#address = address
    this.#correlationId = correlationId
  }

  part(value: unknown): Promise<void> {
    return this.#send({ isLast: false, ...this.#encode(value) })
  }

  /** The only value, or the end of several. */
  async last(value: unknown): Promise<void> {
    const none = { body: undefined, contentType: 'application/json' }
    await this.#send({ isLast: true, ...(value === undefined ? none : this.#encode(value)) })
  }

  /** Tells what went wrong, if there is still somebody to tell it to. */
  async fail(error: Error): Promise<void> {
    const { code, details } = error as { code?: unknown; details?: unknown }
    const told = {
      code: typeof code === 'string' ? code : 'E_MESSAGE_RESPONDER',
      message: error.message,
      ...(isPlain(details) && { details }),
    }
    try {
      await this.#send({ isLast: true, body: undefined, contentType: 'application/json', error: told })
    } catch (thrown) {
      if (backgroundError.hasSubscribers)
        backgroundError.publish({ source: 'messaging-responder', error: toError(thrown) })
    }
  }

  #encode(value: unknown) {
    return encodeBody(`a reply to '${this.#parts.topic}'`, value, this.#parts.maxBody)
  }

  async #send(reply: Omit<Reply, 'correlationId' | 'sequence'>): Promise<void> {
    if (this.#isOver) return
    this.#isOver = reply.isLast
    await this.#parts.replies.send(this.#address, {
      ...reply,
      correlationId: this.#correlationId,
      sequence: this.#sequence++,
    })
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof (value as { [Symbol.asyncIterator]?: unknown } | null | undefined)?.[Symbol.asyncIterator] === 'function'
  )
}

/** Whether details can be written as JSON. */
function isPlain(details: unknown): boolean {
  try {
    return details !== undefined && JSON.stringify(details) !== '{}'
  } catch {
    return false
  }
}
