import type { BusMessage, BusSubscriber } from '@tailwater/core'
import { report } from '../loop.ts'

type Loss = Parameters<BusSubscriber['onGap']>[0]

/** One subscriber of one topic: what has arrived for it, handed on one at a time. */
export class Subscription {
  readonly topic: string
  readonly #subscriber: BusSubscriber
  readonly #maxQueue: number
  #queue: (BusMessage | Loss)[] = []
  #handling: Promise<void> | undefined
  #isEnded = false

  constructor(topic: string, subscriber: BusSubscriber, maxQueue: number) {
    this.topic = topic
    this.#subscriber = subscriber
    this.#maxQueue = maxQueue
  }

  /** A subscriber that falls behind loses what waits for it and is told so; the others and the reader are not held up. */
  deliver(message: BusMessage): void {
    if (this.#queue.length >= this.#maxQueue) this.lose('gap')
    this.#take(message)
  }

  /** Messages before the next were missed: what is still waiting is of no use either. */
  lose(reason: Loss): void {
    this.#queue = []
    this.#take(reason)
  }

  end(): void {
    this.#isEnded = true
    this.#queue = []
  }

  /** Resolves when nothing waits and nothing is being handled. */
  async idle(): Promise<void> {
    await this.#handling
  }

  #take(item: BusMessage | Loss): void {
    if (this.#isEnded) return
    this.#queue.push(item)
    this.#handling ??= this.#handle()
  }

  async #handle(): Promise<void> {
    // Behind the caller: a subscriber's own code never runs within the reader's loop.
    await Promise.resolve()
    for (let item = this.#queue.shift(); item !== undefined; item = this.#queue.shift()) {
      try {
        if (typeof item === 'string') await this.#subscriber.onGap(item)
        else await this.#subscriber.onMessage(item)
      } catch (error) {
        report(`bus subscriber of ${this.topic}`, error)
      }
    }
    this.#handling = undefined
  }
}
