import { sleep } from '@tailwater/core'
import type { Reply, ReplyPort } from '../../backend/reply_port.ts'
import { messagingError } from '../../errors.ts'
import { type ChannelModel, type ConsumeMessage, openChannel } from './amqp.ts'
import { contentOf } from './envelope.ts'
import type { Link } from './link.ts'
import type { Names } from './names.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Publisher } from './publisher.ts'
import type { Scratch } from './scratch.ts'

/*
 * Replies go by the broker's direct reply-to: no queue, no disk; the broker hands them to the channel that asked. Its address is told only to who
 * receives a request, so at each connection one is sent to ourselves, and what it says is our address: it can be written into any message, on
 * any connection. It is as old as the connection; requests that were under way when that was lost time out.
 */

/** The broker's name for "reply to the channel that says so". */
const DIRECT = 'amq.rabbitmq.reply-to'

/** Milliseconds for our own address. */
const PROBE = 2_000
/** Milliseconds for which an address that was there is taken to be there still. */
const ALIVE = 1_000
/** Addresses that are remembered. */
const REMEMBERED = 1_000

/** The way back to whoever asked. */
export class Replies implements ReplyPort {
  readonly #options: ResolvedRabbitMqOptions
  readonly #names: Names
  readonly #publisher: Publisher
  readonly #scratch: Scratch
  readonly #link: Link
  readonly #hearers = new Set<(reply: Reply) => void>()
  readonly #cancelHearers = new Set<(correlationId: string) => void>()
  readonly #alive = new Map<string, { until: number; isThere: Promise<boolean> }>()
  #address: string | undefined

  constructor(
    options: ResolvedRabbitMqOptions,
    { names, publisher, scratch, link }: { names: Names; publisher: Publisher; scratch: Scratch; link: Link },
  ) {
    this.#options = options
    this.#link = link
    this.#names = names
    this.#publisher = publisher
    this.#scratch = scratch
  }

  get address(): string {
    if (this.#address !== undefined) return this.#address
    if (this.#link.isRunning) throw messagingError('E_MESSAGE_BLOCKED', 'RabbitMQ is away: replies could not come', {})
    throw messagingError('E_MESSAGE_NOT_STARTED', 'the RabbitMQ backend is not started', {})
  }

  onReply(hear: (reply: Reply) => void): () => void {
    this.#hearers.add(hear)
    return () => void this.#hearers.delete(hear)
  }

  onCancel(hear: (correlationId: string) => void): () => void {
    this.#cancelHearers.add(hear)
    return () => void this.#cancelHearers.delete(hear)
  }

  async send(address: string, { correlationId, sequence, isLast, body, contentType, error }: Reply): Promise<boolean> {
    const isDirect = address.startsWith(DIRECT)
    if (isDirect && !(await this.#isThere(address))) return false
    const headers: Record<string, unknown> = { 'tw-sequence': sequence, 'tw-last': isLast }
    if (body === undefined) headers['tw-empty'] = true
    else if (typeof body !== 'string') headers['tw-bytes'] = true
    if (error) headers['tw-error'] = JSON.stringify(error)
    const content = body === undefined ? Buffer.alloc(0) : contentOf({ body })
    // The broker calls every direct reply unroutable, for it goes to no queue: only others may be mandatory.
    const outcome = await this.#publisher.publish('', address, content, {
      correlationId,
      contentType,
      headers,
      persistent: false,
      mandatory: !isDirect,
    })
    return outcome === 'confirmed'
  }

  async cancel(correlationId: string): Promise<void> {
    const properties = { correlationId, persistent: false, mandatory: false }
    await this.#publisher.publish(this.#names.cancel, '', Buffer.alloc(0), properties)
  }

  /** Opens the way back on a new connection, and learns its address. */
  async restore(connection: ChannelModel): Promise<void> {
    const channel = await openChannel(connection)
    await channel.consume(DIRECT, (wire) => wire && this.#hear(wire), { noAck: true })
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false })
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    channel.on('close', () => reject(new Error('the channel of replies was closed')))
    promise.catch(() => {})
    await channel.consume(queue, (wire) => wire && resolve(`${wire.properties.replyTo}`), { noAck: true })
    channel.sendToQueue(queue, Buffer.alloc(0), { replyTo: DIRECT })
    const told = promise.then((address) => {
      this.#address = address
      return channel.deleteQueue(queue)
    })
    told.catch(() => {})
    // A broker that takes nothing does not take this either, and answers when it does.
    await Promise.race([told, sleep(this.#options.clock, PROBE)])
  }

  /** Hears of cancelled requests, on a new connection. */
  async restoreCancels(connection: ChannelModel): Promise<void> {
    const channel = await openChannel(connection)
    await channel.assertExchange(this.#names.cancel, 'fanout', { durable: true })
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false })
    await channel.bindQueue(queue, this.#names.cancel, '')
    const tell = (wire: ConsumeMessage | null) => {
      if (wire) for (const hear of this.#cancelHearers) hear(`${wire.properties.correlationId}`)
    }
    await channel.consume(queue, tell, { noAck: true })
  }

  /** The connection to which replies came is lost. */
  lost(): void {
    this.#address = undefined
  }

  #hear({ properties, content }: ConsumeMessage): void {
    const headers = (properties.headers ?? {}) as Record<string, unknown>
    const error = typeof headers['tw-error'] === 'string' ? parseError(headers['tw-error']) : undefined
    const reply: Reply = {
      correlationId: `${properties.correlationId}`,
      sequence: Number(headers['tw-sequence'] ?? 0),
      isLast: headers['tw-last'] !== false,
      body: headers['tw-empty'] ? undefined : headers['tw-bytes'] ? new Uint8Array(content) : content.toString(),
      contentType: `${properties.contentType ?? 'application/json'}`,
      ...(error && { error }),
    }
    for (const hear of this.#hearers) hear(reply)
  }

  /** Asks the broker whether somebody still waits there, once a second at most: replies in a stream should not each cost a question. */
  #isThere(address: string): Promise<boolean> {
    const { clock } = this.#options
    const known = this.#alive.get(address)
    if (known && known.until > clock.elapsed()) return known.isThere
    if (this.#alive.size >= REMEMBERED) this.#alive.clear()
    const isThere = this.#scratch
      .run((channel) => channel.checkQueue(address))
      .then(
        () => true,
        () => false,
      )
    this.#alive.set(address, { until: clock.elapsed() + ALIVE, isThere })
    return isThere
  }
}

function parseError(encoded: string): Reply['error'] {
  try {
    return JSON.parse(encoded) as NonNullable<Reply['error']>
  } catch {
    return { code: 'E_MESSAGE_RESPONDER', message: encoded }
  }
}
