import { sleep } from '@tailwater/core'
import type { ExchangeSpec, SubscriptionSpec } from '../../backend/topology_port.ts'
import { messagingError } from '../../errors.ts'
import { type Channel, closeQuietly, openChannel, replyCode } from './amqp.ts'
import { keepingArguments } from './layout.ts'
import type { Link } from './link.ts'
import type { Names } from './names.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Publisher } from './publisher.ts'

/*
 * AMQP can declare and bind, and cannot ask what is there. Which bindings a subscription had when another process declared it is what must
 * be known to take the old ones away; so what was declared is recorded in the broker itself: one message in one queue. Whoever changes it
 * holds a lock (an exclusive queue: it goes with its connection), puts the new record behind the old one, confirmed, and then takes the old
 * one away. A queue of at most one message, the oldest dropped, makes up for a process that dies between the two.
 */

/** What was declared, by any process. */
export interface TopologyRecord {
  readonly exchanges: Readonly<Record<string, ExchangeSpec>>
  readonly subscriptions: Readonly<Record<string, SubscriptionSpec>>
}

const EMPTY: TopologyRecord = { exchanges: {}, subscriptions: {} }

/** Milliseconds for the lock: others hold it for a few milliseconds each. */
const LOCK_PATIENCE = 15_000
/** Looks at a record that another process holds for a moment, and milliseconds between them. */
const PEEKS = 10
const PEEK_PAUSE = 20
/** Milliseconds for which a record that was read is good enough to be shown. */
const FRESH = 500

type Edit = (record: TopologyRecord) => TopologyRecord | Promise<TopologyRecord>

/** The record of what was declared. */
export class Register {
  readonly #options: ResolvedRabbitMqOptions
  readonly #link: Link
  readonly #names: Names
  /** A broker that is short of memory blocks connections that publish: the one with the lock must not. */
  readonly #publisher: Publisher
  #turn: Promise<unknown> = Promise.resolve()
  #edits: { edit: Edit; resolve(): void; reject(error: unknown): void }[] = []
  #last: { record: TopologyRecord; at: number } | undefined

  constructor(
    options: ResolvedRabbitMqOptions,
    { link, names, publisher }: { link: Link; names: Names; publisher: Publisher },
  ) {
    this.#options = options
    this.#link = link
    this.#names = names
    this.#publisher = publisher
  }

  /** The record, half a second old at most. */
  async read(): Promise<TopologyRecord> {
    const { clock } = this.#options
    if (this.#last && clock.elapsed() - this.#last.at < FRESH) return this.#last.record
    await this.change((record) => record)
    return this.#last!.record
  }

  /** The record as it lies there, without the lock: for a connection that is not up yet. Undefined when there is none, or others hold it all the time. */
  async peek(channel: Channel): Promise<TopologyRecord | undefined> {
    for (let attempt = 0; attempt < PEEKS; attempt++) {
      const held = await channel.get(this.#names.register)
      if (held) {
        channel.nack(held)
        return parse(held.content)
      }
      await sleep(this.#options.clock, PEEK_PAUSE)
    }
    return undefined
  }

  /** Changes the record, alone among all processes; changes that come together are one. */
  change(edit: Edit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#edits.push({ edit, resolve, reject })
      if (this.#edits.length === 1) this.#turn = this.#turn.then(() => this.#flush())
    })
  }

  async #flush(): Promise<void> {
    const edits = this.#edits
    this.#edits = []
    try {
      await this.#change(async (record) => {
        let now = record
        for (const { edit, reject } of edits) {
          try {
            now = await edit(now)
          } catch (error) {
            // One that fails changes nothing, and holds nobody else up.
            reject(error)
          }
        }
        return now
      })
      for (const { resolve } of edits) resolve()
    } catch (error) {
      for (const { reject } of edits) reject(error)
    }
  }

  async #change(edit: Edit): Promise<void> {
    const { clock } = this.#options
    const deadline = clock.elapsed() + LOCK_PATIENCE
    for (;;) {
      const channel = await openChannel(await this.#link.up())
      try {
        await channel.assertQueue(this.#names.registerLock, { exclusive: true, durable: false, autoDelete: false })
      } catch (error) {
        await closeQuietly(channel)
        if (replyCode(error) !== 405 || clock.elapsed() > deadline) throw lockError(error)
        await sleep(clock, 5 + Math.random() * 30)
        continue
      }
      try {
        const record = await this.#replace(channel, edit)
        this.#last = { record, at: clock.elapsed() }
        await channel.deleteQueue(this.#names.registerLock)
        return
      } finally {
        await closeQuietly(channel)
      }
    }
  }

  async #replace(channel: Channel, edit: Edit): Promise<TopologyRecord> {
    const queue = this.#names.register
    const style = keepingArguments(this.#options)
    await channel.assertQueue(queue, {
      durable: true,
      arguments: { ...style, 'x-max-length': 1, 'x-overflow': 'drop-head' },
    })
    const held = await channel.get(queue)
    const record = held ? parse(held.content) : EMPTY
    const now = await edit(record)
    const properties = { persistent: true, contentType: 'application/json' }
    await this.#publisher.publish('', queue, Buffer.from(JSON.stringify(now)), properties)
    if (held) channel.ack(held)
    return now
  }
}

function parse(content: Buffer): TopologyRecord {
  try {
    return { ...EMPTY, ...(JSON.parse(content.toString()) as TopologyRecord) }
  } catch {
    // Somebody else's message: ours comes in its place.
    return EMPTY
  }
}

function lockError(cause: unknown): Error {
  if (replyCode(cause) !== 405) return cause as Error
  return messagingError(
    'E_MESSAGE_TOPOLOGY',
    'the record of the topology is being changed by another process, and does not come free',
    { cause },
  )
}
