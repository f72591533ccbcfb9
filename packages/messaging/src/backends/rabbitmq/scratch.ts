import { type Channel, closeQuietly, openChannel, replyCode } from './amqp.ts'
import type { Link } from './link.ts'

/** Channels for declarations, one after another: the broker closes a channel for each error. */
export class Scratch {
  readonly #link: Link
  #turn: Promise<unknown> = Promise.resolve()
  #channel: Channel | undefined

  constructor(link: Link) {
    this.#link = link
    link.onConnect(
      () => Promise.resolve(),
      () => {
        this.#channel = undefined
      },
    )
  }

  /** Does something on a channel, after all that was asked for before. */
  run<T>(act: (channel: Channel) => Promise<T>): Promise<T> {
    const mine = this.#turn.then(async () => {
      await this.#link.up()
      this.#channel ??= await this.#open()
      const channel = this.#channel
      try {
        return await act(channel)
      } catch (error) {
        // Not the broker's answer, so that one may still come, and whoever asks next would wait behind it for good.
        if (replyCode(error) === undefined) this.#abandon(channel)
        throw error
      }
    })
    this.#turn = mine.catch(() => {})
    return mine
  }

  async #open(): Promise<Channel> {
    const channel = await openChannel(this.#link.connection)
    channel.on('close', () => {
      if (this.#channel === channel) this.#channel = undefined
    })
    return channel
  }

  #abandon(channel: Channel): void {
    if (this.#channel === channel) this.#channel = undefined
    void closeQuietly(channel)
  }

  async close(): Promise<void> {
    const channel = this.#channel
    this.#channel = undefined
    await closeQuietly(channel)
  }
}
