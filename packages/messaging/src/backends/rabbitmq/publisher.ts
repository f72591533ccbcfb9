import { type Cancel, sleep } from '@tailwater/core'
import type { Options, Message as ReturnedMessage } from 'amqplib'
import type { PublishOutcome } from '../../backend/publish_port.ts'
import { messagingError } from '../../errors.ts'
import { type ChannelModel, type ConfirmChannel, openConfirmChannel } from './amqp.ts'
import type { Entry } from './entry.ts'
import { Fifo } from './fifo.ts'
import type { Link } from './link.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import { refusedEntry } from './refusal.ts'

/*
 * Everything that is published goes through one channel, in order. A message is waiting (not written yet, or to be written again after the
 * connection was lost) or in flight (written, not confirmed), and in both within its time. Nobody awaits anybody: the broker confirms in
 * batches, and each confirmation settles the one promise it belongs to.
 */

/** Milliseconds before a message that was refused for no lasting reason is published again. */
const REFUSED_PAUSE = 100
/** How many times more messages may wait for a broker that takes them slowly than for one that takes none. */
const SLOW = 10
/** Milliseconds between looks for messages whose time is over. */
const SWEEP = 250

/** Publishes with confirmation. */
export class Publisher {
  readonly #options: ResolvedRabbitMqOptions
  readonly #link: Link
  readonly #isFull: (entry: Entry) => Promise<boolean>
  readonly #waiting = new Fifo<Entry>()
  /** In the order of writing. */
  readonly #inFlight = new Set<Entry>()
  /** Refused by the broker, and looked into. */
  readonly #setAside = new Set<Entry>()
  /** Messages that came back unroutable and are not confirmed yet; how often each. */
  readonly #returned = new Map<string, number>()
  #channel: ConfirmChannel | undefined
  /** Of the bodies of all that have no end yet. */
  #bytes = 0
  /** The socket takes no more for now. */
  #isStuffed = false
  /** The channel takes nothing more, which its `close` event is about to tell. */
  #isEnding = false
  #sweep: Cancel | undefined

  /** @param isFull tells why the broker has refused a message */
  constructor(options: ResolvedRabbitMqOptions, link: Link, isFull: (entry: Entry) => Promise<boolean>) {
    this.#options = options
    this.#isFull = isFull
    this.#link = link
    link.onConnect(
      (connection) => this.#open(connection),
      () => {
        this.#channel = undefined
      },
    )
  }

  /** Messages that are neither confirmed nor refused. */
  get pending(): number {
    return this.#waiting.size + this.#inFlight.size + this.#setAside.size
  }

  /**
   * Publishes one message. Its properties say whether it must be routed (`mandatory`); without that it is confirmed in any case.
   * @throws E_MESSAGE_BLOCKED, E_MESSAGE_UNCONFIRMED, E_MESSAGE_QUEUE_FULL, E_MESSAGE_EXCHANGE_UNKNOWN, E_MESSAGE_BODY_SIZE
   */
  publish(exchange: string, routingKey: string, content: Buffer, properties: Options.Publish): Promise<PublishOutcome> {
    return new Promise((resolve, reject) => {
      if (this.#isCrowded) return reject(this.#blocked())
      const deadline = this.#options.clock.elapsed() + this.#options.confirmTimeout
      const entry: Entry = { exchange, routingKey, content, properties, deadline, wasWritten: false, resolve, reject }
      this.#bytes += content.byteLength
      this.#sweep ??= this.#options.clock.after(SWEEP, () => this.#sweepOverdue())
      if (this.#waiting.size === 0 && this.#canWrite && this.#hasRoom) this.#write(entry)
      else {
        this.#waiting.push(entry)
        this.#pump()
      }
    })
  }

  /** Resolves when nothing is pending, or at the deadline, when what is left fails. */
  async stop(deadline: number | undefined): Promise<void> {
    const { clock } = this.#options
    while (this.pending > 0 && (deadline === undefined || clock.elapsed() < deadline))
      await new Promise<void>((resolve) => clock.after(10, resolve))
    this.#sweep?.()
    this.#sweep = undefined
    const left = [...this.#inFlight, ...this.#setAside, ...this.#waiting.clear()]
    this.#inFlight.clear()
    this.#setAside.clear()
    for (const entry of left) this.#expire(entry)
  }

  /** As many wait as may. Where the broker only is slow, a call of many messages must find room. */
  get #isCrowded(): boolean {
    const { maxWaiting, maxWaitingBytes } = this.#options
    const most = this.#canWrite ? SLOW * maxWaiting : maxWaiting
    return this.#waiting.size >= most || (this.#bytes >= maxWaitingBytes && (!this.#canWrite || !this.#hasRoom))
  }

  get #canWrite(): boolean {
    return this.#channel !== undefined && !this.#isEnding && !this.#link.isBlocked
  }

  get #hasRoom(): boolean {
    return !this.#isStuffed && this.#inFlight.size < this.#options.maxUnconfirmed
  }

  #pump(): void {
    while (this.#canWrite && this.#hasRoom) {
      const entry = this.#waiting.shift()
      if (!entry) return
      this.#write(entry)
    }
  }

  #write(entry: Entry): void {
    const channel = this.#channel!
    this.#inFlight.add(entry)
    try {
      entry.wasWritten = true
      const settle = (error: Error | null) => this.#settle(channel, entry, error)
      this.#isStuffed = !channel.publish(entry.exchange, entry.routingKey, entry.content, entry.properties, settle)
    } catch (error) {
      this.#inFlight.delete(entry)
      // Lost a moment ago; anything else is in the message.
      if ((error as Error).name === 'IllegalOperationError') {
        this.#isEnding = true
        this.#waiting.unshift([entry])
      } else
        this.#fail(
          entry,
          messagingError('E_MESSAGE_BODY_SIZE', `RabbitMQ cannot carry it: ${(error as Error).message}`, {
            cause: error,
          }),
        )
    }
  }

  #settle(channel: ConfirmChannel, entry: Entry, error: Error | null): void {
    // Of an earlier connection: it is written again.
    if (channel !== this.#channel || error?.message === 'channel closed') return
    if (!this.#inFlight.delete(entry)) return
    if (error) void this.#refused(entry)
    else {
      this.#bytes -= entry.content.byteLength
      entry.resolve(this.#wasReturned(entry) ? 'unroutable' : 'confirmed')
    }
    if (this.#waiting.size > 0) this.#pump()
  }

  /** A queue is full, or has lost its leader: then it is published again, within its time. */
  async #refused(entry: Entry): Promise<void> {
    this.#setAside.add(entry)
    const isFull = await this.#isFull(entry)
    if (!isFull) await sleep(this.#options.clock, REFUSED_PAUSE)
    // Its time may be over.
    if (!this.#setAside.delete(entry)) return
    if (isFull)
      return this.#fail(
        entry,
        messagingError(
          'E_MESSAGE_QUEUE_FULL',
          `a queue behind '${entry.exchange || entry.routingKey}' is full and takes nothing more`,
        ),
      )
    this.#waiting.push(entry)
    this.#pump()
  }

  /** What is returned comes back before its confirmation. */
  #wasReturned({ exchange, routingKey, properties }: Entry): boolean {
    if (this.#returned.size === 0) return false
    const key = keyOf(exchange, routingKey, properties.messageId)
    const count = this.#returned.get(key)
    if (!count) return false
    if (count === 1) this.#returned.delete(key)
    else this.#returned.set(key, count - 1)
    return true
  }

  async #open(connection: ChannelModel): Promise<void> {
    const channel = await openConfirmChannel(connection)
    channel.on('return', ({ fields, properties }: ReturnedMessage) => {
      const key = keyOf(fields.exchange, fields.routingKey, properties.messageId)
      this.#returned.set(key, (this.#returned.get(key) ?? 0) + 1)
    })
    channel.on('drain', () => {
      this.#isStuffed = false
      this.#pump()
    })
    channel.on('close', () => void this.#reopen(connection, channel))
    connection.on('unblocked', () => this.#pump())
    this.#returned.clear()
    this.#isStuffed = false
    this.#isEnding = false
    this.#channel = channel
    const unconfirmed = [...this.#inFlight]
    this.#inFlight.clear()
    this.#waiting.unshift(unconfirmed)
    this.#pump()
  }

  /** The broker closes a channel for one bad message; the others are written again. */
  async #reopen(connection: ChannelModel, channel: ConfirmChannel & { reason?: Error }): Promise<void> {
    if (channel !== this.#channel) return
    this.#channel = undefined
    const { reason } = channel
    if (!reason) return
    for (const [entry, error] of refusedEntry(reason, [...this.#inFlight])) {
      this.#inFlight.delete(entry)
      this.#fail(entry, error)
    }
    try {
      await this.#open(connection)
    } catch {
      // The connection is gone as well: its successor opens the channel.
    }
  }

  #sweepOverdue(): void {
    this.#sweep = undefined
    const now = this.#options.clock.elapsed()
    for (const entries of [this.#inFlight, this.#setAside])
      for (const entry of entries) {
        if (entry.deadline > now) continue
        entries.delete(entry)
        this.#expire(entry)
      }
    // Those that were refused come back behind younger ones, and expire when they are first.
    while (this.#waiting.first && this.#waiting.first.deadline <= now) this.#expire(this.#waiting.shift()!)
    if (this.pending > 0) this.#sweep = this.#options.clock.after(SWEEP, () => this.#sweepOverdue())
    this.#pump()
  }

  #fail(entry: Entry, error: Error): void {
    this.#bytes -= entry.content.byteLength
    entry.reject(error)
  }

  #expire(entry: Entry): void {
    this.#fail(
      entry,
      entry.wasWritten
        ? messagingError(
            'E_MESSAGE_UNCONFIRMED',
            `no confirmation within ${this.#options.confirmTimeout} ms: the message may or may not have arrived; published again under the same id it is handled once`,
          )
        : this.#blocked(),
    )
  }

  #blocked(): Error {
    const why = this.#link.isBlocked
      ? 'RabbitMQ takes nothing (memory or disk are used up)'
      : this.#canWrite
        ? 'RabbitMQ is slower than what is published: await publish, or publish less'
        : `RabbitMQ is away (${this.#link.lastError?.message ?? 'not connected'})`
    return messagingError('E_MESSAGE_BLOCKED', `${why}; ${this.#waiting.size} messages wait`, {
      waiting: this.#waiting.size,
      cause: this.#link.lastError,
    })
  }
}

const keyOf = (exchange: string, routingKey: string, id: string | undefined) => `${exchange}\n${routingKey}\n${id}`
