import type { Bus, IdSource } from '@tailwater/core'
import type { Reply, ReplyPort } from '../../backend/reply_port.ts'
import { messagingError } from '../../errors.ts'

/** Topics of the bus: replies to one process, and cancelled requests to all. */
const REPLIES = 'messages:reply:'
const CANCELS = 'messages:cancel'

/** On the bus: bytes as base64. */
type Wire = Omit<Reply, 'body'> & { body?: string; encoding?: 'base64' }

/** Replies over the bus: every process has a topic of its own. */
export class BusReplies implements ReplyPort {
  readonly #bus: Bus
  readonly #ids: IdSource
  readonly #hearers = new Set<(reply: Reply) => void>()
  readonly #cancelHearers = new Set<(correlationId: string) => void>()
  #address: string | undefined
  #stops: (() => Promise<void>)[] = []

  constructor(bus: Bus, ids: IdSource) {
    this.#bus = bus
    this.#ids = ids
  }

  async start(): Promise<void> {
    const address = this.#ids()
    this.#stops = [
      await this.#bus.subscribe(`${REPLIES}${address}`, {
        onMessage: ({ payload }) => {
          const reply = decode(payload as Wire)
          for (const hear of this.#hearers) hear(reply)
        },
        onGap: () => undefined,
      }),
      await this.#bus.subscribe(CANCELS, {
        onMessage: ({ payload }) => {
          for (const hear of this.#cancelHearers) hear(String(payload))
        },
        onGap: () => undefined,
      }),
    ]
    this.#address = address
  }

  async stop(): Promise<void> {
    this.#address = undefined
    for (const stop of this.#stops.splice(0)) await stop()
  }

  get address(): string {
    if (this.#address !== undefined) return this.#address
    throw messagingError('E_MESSAGE_NOT_STARTED', 'messaging is not started: nobody could reply')
  }

  onReply(hear: (reply: Reply) => void): () => void {
    this.#hearers.add(hear)
    return () => void this.#hearers.delete(hear)
  }

  async send(address: string, reply: Reply): Promise<boolean> {
    await this.#bus.publish(`${REPLIES}${address}`, encode(reply))
    return true
  }

  async cancel(correlationId: string): Promise<void> {
    await this.#bus.publish(CANCELS, correlationId)
  }

  onCancel(hear: (correlationId: string) => void): () => void {
    this.#cancelHearers.add(hear)
    return () => void this.#cancelHearers.delete(hear)
  }
}

function encode({ body, ...rest }: Reply): Wire {
  if (body === undefined) return rest
  return typeof body === 'string'
    ? { ...rest, body }
    : { ...rest, body: Buffer.from(body).toString('base64'), encoding: 'base64' }
}

function decode({ body, encoding, ...rest }: Wire): Reply {
  if (body === undefined) return { ...rest, body }
  return { ...rest, body: encoding === 'base64' ? Uint8Array.from(Buffer.from(body, 'base64')) : body }
}
