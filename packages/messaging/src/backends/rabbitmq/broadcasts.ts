import { notice } from '@tailwater/core'
import type { Binding } from '../../backend/topology_port.ts'
import type { Message } from '../../message.ts'
import { type Channel, type ChannelModel, closeQuietly, openChannel } from './amqp.ts'
import { type Reader, toMessage } from './envelope.ts'
import { explainDeclaration } from './mismatch.ts'

interface Listener {
  readonly bindings: readonly Binding[]
  hear(message: Message): void
  channel?: Channel
  queue?: string
}

/** Queues that live as long as their connection and are this process's alone: what nobody keeps for us while we are away. */
export class Broadcasts {
  readonly #reader: Reader
  readonly #listeners = new Set<Listener>()

  constructor(reader: Reader) {
    this.#reader = reader
  }

  /** Hears messages; the result ends it. @throws E_MESSAGE_EXCHANGE_UNKNOWN */
  async listen(
    connection: ChannelModel,
    bindings: readonly Binding[],
    hear: (message: Message) => void,
  ): Promise<() => Promise<void>> {
    const listener: Listener = { bindings, hear }
    try {
      await this.#open(connection, listener)
    } catch (error) {
      throw explainDeclaration(error)
    }
    this.#listeners.add(listener)
    return async () => {
      this.#listeners.delete(listener)
      try {
        // From now on nothing is routed to it; it would go with its consumer, but who publishes next must not meet it.
        await listener.channel?.deleteQueue(listener.queue!)
      } catch {
        // Gone with its connection.
      }
      await closeQuietly(listener.channel)
    }
  }

  /** Makes the queues again on a new connection. */
  async restore(connection: ChannelModel): Promise<void> {
    for (const listener of this.#listeners) {
      try {
        await this.#open(connection, listener)
      } catch (error) {
        // Its exchange is gone: no reason for the others not to hear.
        if (notice.hasSubscribers)
          notice.publish({ source: 'rabbitmq', level: 'warn', message: explainDeclaration(error).message })
      }
    }
  }

  clear(): void {
    this.#listeners.clear()
  }

  async #open(connection: ChannelModel, listener: Listener): Promise<void> {
    const channel = await openChannel(connection)
    listener.channel = channel
    const { queue } = await channel.assertQueue('', { exclusive: true, autoDelete: true, durable: false })
    listener.queue = queue
    for (const { exchange, pattern } of listener.bindings)
      await channel.bindQueue(queue, this.#reader.names.exchange(exchange), pattern)
    await channel.consume(
      queue,
      (wire) => {
        if (wire) listener.hear(toMessage(wire, this.#reader))
      },
      { noAck: true, consumerTag: queue },
    )
  }
}
