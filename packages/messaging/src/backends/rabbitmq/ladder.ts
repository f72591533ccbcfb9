import type { Options } from 'amqplib'
import { messagingError } from '../../errors.ts'
import type { Channel, ChannelModel } from './amqp.ts'
import { closeQuietly, openChannel } from './amqp.ts'
import { keepingArguments } from './layout.ts'
import { explainDeclaration } from './mismatch.ts'
import type { Names } from './names.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Publisher } from './publisher.ts'
import type { Scratch } from './scratch.ts'

/*
 * How messages wait. A queue gives messages up in their order, so one with a time of its own for each message is held up by the longest at
 * its head. Here every message of a queue waits for the same time: rung k of the ladder keeps what it gets for 2^k steps. A delay is a number
 * of steps in binary, and the routing key spells it: at each rung the message either waits (1) or goes straight down (0), all by the broker's
 * own routing; from the lowest it falls into one queue of what is due, whose readers publish it where it belongs, confirmed. So a delay
 * costs as many queues as its number has ones, at most 24, and everybody shares them.
 * The idea is NServiceBus's (docs.particular.net, "Delayed delivery" of its RabbitMQ transport).
 */

/** Words of the routing key: 2^24 steps of 100 ms are 19 days; longer waits go round again. */
const RUNGS = 24
/** Milliseconds that the broker takes for a ttl at most. */
const LONGEST_TTL = 2 ** 32 - 1

/** Queues of growing times, shared by everything that waits. */
export class Ladder {
  readonly #options: ResolvedRabbitMqOptions
  readonly #names: Names
  readonly #scratch: Scratch
  readonly #publisher: Publisher
  readonly #top: number
  /** Rungs that are declared: the lowest so many. */
  #declared = 0
  #declaring: Promise<void> | undefined

  constructor(
    options: ResolvedRabbitMqOptions,
    { names, scratch, publisher }: { names: Names; scratch: Scratch; publisher: Publisher },
  ) {
    this.#options = options
    this.#names = names
    this.#scratch = scratch
    this.#publisher = publisher
    this.#top = Math.min(RUNGS - 1, Math.floor(Math.log2(LONGEST_TTL / options.delayStep)))
  }

  /**
   * Keeps a message for `after` milliseconds, rounded up to whole steps.
   * @param properties with its target, or its exchange and topic, in headers
   */
  async send(content: Buffer, properties: Options.Publish, after: number): Promise<void> {
    const { delayStep } = this.#options
    const most = 2 ** (this.#top + 1) - 1
    const wanted = Math.max(1, Math.ceil(after / delayStep))
    const steps = Math.min(most, wanted)
    const rung = 31 - Math.clz32(steps)
    await this.ensure(rung + 1)
    const rest = (wanted - steps) * delayStep
    const headers = { ...(properties.headers as Record<string, unknown>), ...(rest > 0 && { 'tw-rest': rest }) }
    const outcome = await this.#publisher.publish(this.#names.rung(rung), spell(steps), content, {
      ...properties,
      headers,
    })
    if (outcome === 'confirmed') return
    // Somebody took queues away.
    this.#declared = 0
    throw messagingError('E_MESSAGE_TOPOLOGY', `the queues '${this.#names.rung(0)}' and so on are gone`, {})
  }

  /** Declares the lowest rungs, so many of them, and the queue of what is due. */
  async ensure(count: number): Promise<void> {
    while (this.#declared < count) {
      this.#declaring ??= this.#declare(count).finally(() => {
        this.#declaring = undefined
      })
      await this.#declaring
    }
  }

  /** Declares again what was declared. */
  async restore(connection: ChannelModel): Promise<void> {
    if (this.#declared === 0) return
    const channel = await openChannel(connection)
    for (let rung = 0; rung < this.#declared; rung++) await this.#assertRung(channel, rung)
    await closeQuietly(channel)
  }

  /** The queue of what is due, for its readers. */
  async assertDue(channel: Channel): Promise<void> {
    await channel.assertQueue(this.#names.due, { durable: true, arguments: keepingArguments(this.#options) })
  }

  async #declare(count: number): Promise<void> {
    try {
      await this.#scratch.run(async (channel) => {
        for (let rung = this.#declared; rung < count; rung++) await this.#assertRung(channel, rung)
      })
      this.#declared = Math.max(this.#declared, count)
    } catch (error) {
      throw explainDeclaration(error)
    }
  }

  async #assertRung(channel: Channel, rung: number): Promise<void> {
    const { queueType, delayStep } = this.#options
    const name = this.#names.rung(rung)
    const below = rung === 0 ? this.#names.due : this.#names.rung(rung - 1)
    await channel.assertExchange(name, 'topic', { durable: true })
    if (rung === 0) await this.assertDue(channel)
    await channel.assertQueue(name, {
      durable: true,
      arguments: {
        'x-queue-type': queueType,
        'x-message-ttl': delayStep * 2 ** rung,
        'x-overflow': 'reject-publish',
        ...(queueType === 'quorum' && { 'x-dead-letter-strategy': 'at-least-once' }),
        'x-dead-letter-exchange': rung === 0 ? '' : below,
        ...(rung === 0 && { 'x-dead-letter-routing-key': below }),
      },
    })
    await channel.bindQueue(name, name, pattern(rung, '1'))
    if (rung === 0) await channel.bindQueue(below, name, pattern(rung, '0'))
    else await channel.bindExchange(below, name, pattern(rung, '0'))
  }
}

/** A number of steps as words, the highest rung first. */
const spell = (steps: number) => steps.toString(2).padStart(RUNGS, '0').split('').join('.')

/** Keys whose word of this rung is a certain one. */
const pattern = (rung: number, bit: '0' | '1') => [...Array(RUNGS - 1 - rung).fill('*'), bit, '#'].join('.')
