import { backgroundError, runInContext, toError } from '@tailwater/core'
import type { StandardSchema } from '@tailwater/jobs'
import type { Binding } from '../backend/topology_port.ts'
import type { MessagingBackend } from '../backend.ts'
import type { Message } from '../message.ts'
import { checkBody, decodeBody } from '../publish/body.ts'
import type { ReceivedMessage } from './received_message.ts'

/** A message that was heard: at most once, in every process that listens. */
export type BroadcastMessage<Body = unknown> = Pick<
  ReceivedMessage<Body>,
  'id' | 'exchange' | 'topic' | 'body' | 'headers' | 'publishedAt' | 'requestId'
>

/** What hears messages. What it throws is told as a fault, and nothing else comes of it. */
export type BroadcastHandler<Body = unknown> = (message: BroadcastMessage<Body>) => Promise<unknown> | unknown

/** What listens, while messaging runs. */
export class BroadcastListener {
  readonly #bindings: readonly Binding[]
  readonly #backend: MessagingBackend
  readonly #handler: BroadcastHandler
  readonly #schemaOf: (exchange: string, topic: string) => StandardSchema | undefined
  #end: (() => Promise<void>) | undefined

  constructor(parts: {
    bindings: readonly Binding[]
    backend: MessagingBackend
    handler: BroadcastHandler
    schemaOf: (exchange: string, topic: string) => StandardSchema | undefined
  }) {
    this.#bindings = parts.bindings
    this.#backend = parts.backend
    this.#handler = parts.handler
    this.#schemaOf = parts.schemaOf
  }

  async start(): Promise<void> {
    this.#end ??= await this.#backend.consume.listen(this.#bindings, (message) => void this.#hear(message))
  }

  async stop(): Promise<void> {
    const end = this.#end
    this.#end = undefined
    await end?.()
  }

  async #hear(message: Message): Promise<void> {
    try {
      const { id, exchange, topic, headers, publishedAt, requestId, traceparent } = message
      const body = await checkBody(this.#schemaOf(exchange, topic), `'${topic}'`, decodeBody(message))
      const context = { requestId: requestId ?? id, ...(traceparent !== undefined && { traceparent }) }
      await runInContext(context, () => this.#handler({ id, exchange, topic, body, headers, publishedAt, requestId }))
    } catch (error) {
      if (backgroundError.hasSubscribers)
        backgroundError.publish({ source: 'messaging-listener', error: toError(error) })
    }
  }
}
