import { backgroundError, hasCode, notice, sleep, toError } from '@tailwater/core'
import { Acks } from './acks.ts'
import { type ChannelModel, type ConsumeMessage, closeQuietly, openChannel } from './amqp.ts'
import type { Ladder } from './ladder.ts'
import type { Names } from './names.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Publisher } from './publisher.ts'

/** Messages that are moved at once. */
const PREFETCH = 200
/** Milliseconds after which a full queue is tried again. */
const FULL_PAUSE = 1_000

/** Headers by which the broker counts rounds: with them it would take the next wait for a circle, and drop the message. */
const OF_THE_BROKER = /^x-(?:death|first-death-.*|last-death-.*|delivery-count|acquired-count|opt-.*)$/

/** Takes what has waited long enough and publishes it where it belongs, confirmed, before the broker may forget it. */
export class Mover {
  readonly #options: ResolvedRabbitMqOptions
  readonly #names: Names
  readonly #publisher: Publisher
  readonly #ladder: Ladder
  #isWanted = false
  #isReading = false
  #starting: Promise<void> | undefined

  constructor(
    options: ResolvedRabbitMqOptions,
    { names, publisher, ladder }: { names: Names; publisher: Publisher; ladder: Ladder },
  ) {
    this.#options = options
    this.#names = names
    this.#publisher = publisher
    this.#ladder = ladder
  }

  /** Begins, once: whoever delays or consumes also moves. */
  async start(up: () => Promise<ChannelModel>): Promise<void> {
    this.#isWanted = true
    if (this.#isReading) return
    this.#starting ??= up()
      .then((connection) => this.restore(connection))
      .finally(() => {
        this.#starting = undefined
      })
    await this.#starting
  }

  stop(): void {
    this.#isWanted = false
    this.#isReading = false
  }

  lost(): void {
    this.#isReading = false
  }

  /** Reads on a new connection. */
  async restore(connection: ChannelModel): Promise<void> {
    if (!this.#isWanted || this.#isReading) return
    await this.#ladder.restore(connection)
    this.#isReading = true
    const channel = await openChannel(connection)
    const acks = new Acks(channel)
    await this.#ladder.assertDue(channel)
    await channel.prefetch(PREFETCH)
    channel.on('close', () => {
      this.#isReading = false
    })
    await channel.consume(this.#names.due, (wire) => {
      if (wire === null) return void closeQuietly(channel)
      acks.track(wire.fields.deliveryTag)
      void this.#move(wire, acks)
    })
  }

  async #move(wire: ConsumeMessage, acks: Acks): Promise<void> {
    const tag = wire.fields.deliveryTag
    try {
      await this.#send(wire)
      await acks.ack(tag)
    } catch (error) {
      if (acks.isClosed || hasCode(error, 'E_MESSAGE_LOST')) return
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'rabbitmq delays', error: toError(error) })
      await sleep(this.#options.clock, FULL_PAUSE)
      // Given again, to this process or another.
      await acks.giveBack(tag).catch(() => {})
    }
  }

  async #send({ content, properties }: ConsumeMessage): Promise<void> {
    const given = withoutBrokers(properties.headers ?? {})
    const { 'tw-target': target, 'tw-rest': rest, ...headers } = given
    const { 'tw-exchange': exchange, 'tw-topic': topic, ...usersOwn } = headers
    const common = { ...ofMessage(properties), persistent: true, mandatory: true }
    const again = { ...common, headers: { ...headers, ...(target !== undefined && { 'tw-target': target }) } }
    if (typeof rest === 'number') return this.#ladder.send(content, again, rest)
    // What goes to its exchange needs not be told of it any more.
    const kept = { ...common, headers: target === undefined ? usersOwn : headers }
    try {
      const [to, key] = target === undefined ? [this.#names.exchange(`${exchange}`), topic] : ['', target]
      const outcome = await this.#publisher.publish(to, `${key}`, content, kept)
      if (outcome === 'unroutable') this.#tellDropped(`${to} ${key}`)
    } catch (error) {
      if (hasCode(error, 'E_MESSAGE_EXCHANGE_UNKNOWN')) return this.#tellDropped(`${exchange}`)
      if (!hasCode(error, 'E_MESSAGE_QUEUE_FULL')) throw error
      // Full for now. Others that are due must not wait for it.
      return this.#ladder.send(content, again, FULL_PAUSE)
    }
  }

  #tellDropped(where: string): void {
    if (notice.hasSubscribers)
      notice.publish({
        source: 'rabbitmq',
        level: 'warn',
        message: 'a delayed message was dropped: nobody is bound to where it goes',
        fields: { where },
      })
  }
}

function withoutBrokers(given: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !OF_THE_BROKER.test(name)))
}

function ofMessage({ messageId, contentType, replyTo, correlationId, timestamp, type }: ConsumeMessage['properties']) {
  const given = { messageId, contentType, replyTo, correlationId, timestamp, type } as Record<
    string,
    string | undefined
  >
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
