import type { DeadLetter, DeadLetterPage, DeadLetterPort } from '../../backend/dead_letter_port.ts'
import { messagingError } from '../../errors.ts'
import type { ChannelModel } from './amqp.ts'
import { contentOf, type Reader, toMessage, toProperties, type Wire } from './envelope.ts'
import { browse, isNoQueue, letterId, toLetter, type Verdict } from './letters.ts'
import { explainDeclaration } from './mismatch.ts'
import { levelOf } from './names.ts'
import type { ResolvedRabbitMqOptions } from './options.ts'
import type { Publisher } from './publisher.ts'
import type { Scratch } from './scratch.ts'
import type { Topology } from './topology.ts'

/** What the dead letters stand on. */
export interface DeadLettersGround {
  readonly options: ResolvedRabbitMqOptions
  readonly reader: Reader
  readonly publisher: Publisher
  readonly scratch: Scratch
  readonly topology: Topology
  up(): Promise<ChannelModel>
}

/** Dead letters: a queue for each subscription. */
export class DeadLetters implements DeadLetterPort {
  readonly #ground: DeadLettersGround
  /** One look at a time in this process; between processes the broker sees to it. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(ground: DeadLettersGround) {
    this.#ground = ground
  }

  async count(subscription: string): Promise<number> {
    const queue = this.#queue(subscription)
    try {
      const { messageCount } = await this.#ground.scratch.run((channel) => channel.checkQueue(queue))
      return messageCount
    } catch (thrown) {
      const error = explainDeclaration(thrown)
      if (isNoQueue(error)) return 0
      throw error
    }
  }

  async list(
    subscription: string,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<DeadLetterPage> {
    const letters: DeadLetter[] = []
    let hasBegun = cursor === undefined
    let hasMore = false
    await this.#browse(subscription, (wire) => {
      if (!hasBegun) {
        hasBegun = letterId(wire) === cursor
        return 'keep'
      }
      if (letters.length === limit) {
        hasMore = true
        return 'stop'
      }
      letters.push(toLetter(subscription, wire, this.#ground.reader))
      return 'keep'
    })
    return { letters, cursor: hasMore ? letters.at(-1)?.id : undefined }
  }

  async get(subscription: string, id: string): Promise<DeadLetter | undefined> {
    let found: DeadLetter | undefined
    await this.#browse(subscription, (wire) => {
      if (letterId(wire) !== id) return 'keep'
      found = toLetter(subscription, wire, this.#ground.reader)
      return 'stop'
    })
    return found
  }

  async redrive(
    subscription: string,
    ids: readonly string[] | undefined,
    edit?: { readonly body: string | Uint8Array; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<number> {
    if (edit && ids?.length !== 1) throw messagingError('E_OPTIONS', 'only one letter can be edited: give its id', {})
    const spec = await this.#ground.topology.require(subscription)
    return this.#takeEach(subscription, ids, async (wire) => {
      const letter = toLetter(subscription, wire, this.#ground.reader)
      const message = edit ? { ...letter.message, ...edit } : letter.message
      const { queues } = this.#ground.topology.layout(spec)
      const level = levelOf(message.level, spec.levels)
      const queue = queues.find((one) => one.level === level)!.name
      const content = edit ? contentOf(edit) : wire.content
      await this.#put(queue, content, toProperties(message, { hasLeftItsWay: true }))
    })
  }

  async purge(subscription: string, ids?: readonly string[]): Promise<number> {
    return this.#takeEach(subscription, ids, () => Promise.resolve())
  }

  /** Takes what waits in one queue to another, each confirmed there before it is gone here. */
  async moveAll(from: string, to: string): Promise<void> {
    const { options, reader } = this.#ground
    await browse(options, await this.#ground.up(), from, async (wire): Promise<Verdict> => {
      await this.#put(to, wire.content, toProperties(toMessage(wire, reader), { hasLeftItsWay: true }))
      return 'take'
    })
  }

  async #put(queue: string, content: Buffer, properties: ReturnType<typeof toProperties>): Promise<void> {
    const outcome = await this.#ground.publisher.publish('', queue, content, properties)
    if (outcome !== 'confirmed') throw messagingError('E_MESSAGE_TOPOLOGY', `the queue '${queue}' is gone`, { queue })
  }

  async #takeEach(
    subscription: string,
    ids: readonly string[] | undefined,
    act: (wire: Wire) => Promise<void>,
  ): Promise<number> {
    const wanted = ids && new Set(ids)
    let taken = 0
    await this.#browse(subscription, async (wire) => {
      if (wanted && !wanted.delete(letterId(wire))) return wanted.size === 0 ? 'stop' : 'keep'
      await act(wire)
      taken++
      return 'take'
    })
    return taken
  }

  #queue(subscription: string): string {
    return this.#ground.reader.names.dead(subscription)
  }

  #browse(subscription: string, see: (wire: Wire) => Verdict | Promise<Verdict>): Promise<void> {
    const mine = this.#turn.then(async () => {
      const connection = await this.#ground.up()
      await browse(this.#ground.options, connection, this.#queue(subscription), see).catch((error: unknown) => {
        if (!isNoQueue(error)) throw error
      })
    })
    this.#turn = mine.catch(() => {})
    return mine
  }
}
