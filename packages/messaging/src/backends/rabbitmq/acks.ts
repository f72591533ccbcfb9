import { messagingError } from '../../errors.ts'
import type { Channel } from './amqp.ts'

/*
 * AMQP does not answer an acknowledgement. To know that the broker has it, something must be asked after it on the same channel: a channel
 * does what it is told in order. So acknowledgements of one tick are written together, a run of them as one (`multiple`), and one question
 * follows them: the cancelling of a consumer that does not exist, which changes nothing. While its answer is under way the next ones gather.
 */

const OPEN = 0
const DONE = 1
const GONE = 2

interface Outstanding {
  readonly tag: number
  state: typeof OPEN | typeof DONE | typeof GONE
}

/** Those who wait for one answer of the broker. */
interface Batch {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: Error): void
}

/** A consumer that nobody has. */
const NOBODY = 'tailwater-sync'

/** The deliveries of one channel that are not settled, and their acknowledgement. */
export class Acks {
  readonly #channel: Channel
  /** In the order of their tags. */
  #outstanding: Outstanding[] = []
  #head = 0
  readonly #byTag = new Map<number, Outstanding>()
  #dirty: Outstanding[] = []
  /** What was said since the last question. */
  #waiting: Batch | undefined
  #isFlushing = false
  #isSyncing = false
  #isClosed = false

  constructor(channel: Channel) {
    this.#channel = channel
    channel.on('close', () => this.close())
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Deliveries that are neither acknowledged nor given back. */
  get size(): number {
    return this.#byTag.size
  }

  /** A delivery has come. */
  track(tag: number): void {
    const outstanding: Outstanding = { tag, state: OPEN }
    this.#outstanding.push(outstanding)
    this.#byTag.set(tag, outstanding)
  }

  /** Acknowledges; resolves when the broker has it. @throws E_MESSAGE_LOST when the channel is closed before */
  ack(tag: number): Promise<void> {
    const outstanding = this.#byTag.get(tag)
    if (!outstanding || this.#isClosed) return Promise.reject(lost())
    this.#byTag.delete(tag)
    outstanding.state = DONE
    this.#dirty.push(outstanding)
    if (!this.#isFlushing) {
      this.#isFlushing = true
      setImmediate(() => this.#flush())
    }
    return this.#answer()
  }

  /** Gives back, to be given again at once to whomever; resolves when the broker has it. */
  giveBack(tag: number): Promise<void> {
    const outstanding = this.#byTag.get(tag)
    if (!outstanding || this.#isClosed) return Promise.reject(lost())
    this.#byTag.delete(tag)
    outstanding.state = GONE
    this.#channel.nack({ fields: { deliveryTag: tag } } as Parameters<Channel['nack']>[0], false, true)
    const answer = this.#answer()
    void this.#sync()
    return answer
  }

  #answer(): Promise<void> {
    this.#waiting ??= Promise.withResolvers<void>()
    return this.#waiting.promise
  }

  /** Resolves when the broker has all that was written. */
  async settled(): Promise<void> {
    while (!this.#isClosed && (this.#waiting || this.#isSyncing || this.#isFlushing))
      await new Promise<void>((resolve) => setImmediate(resolve))
  }

  close(): void {
    this.#isClosed = true
    this.#waiting?.reject(lost())
    this.#waiting = undefined
    this.#byTag.clear()
  }

  #flush(): void {
    this.#isFlushing = false
    if (this.#isClosed) return
    let run: number | undefined
    while (this.#head < this.#outstanding.length) {
      const { state, tag } = this.#outstanding[this.#head]!
      if (state === OPEN) break
      if (state === DONE) run = tag
      this.#outstanding[this.#head]!.state = GONE
      this.#head++
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#outstanding.length) {
      this.#outstanding = this.#outstanding.slice(this.#head)
      this.#head = 0
    }
    try {
      if (run !== undefined) this.#write(run, true)
      for (const outstanding of this.#dirty)
        if (outstanding.state === DONE) {
          outstanding.state = GONE
          this.#write(outstanding.tag, false)
        }
      this.#dirty = []
      void this.#sync()
    } catch {
      // The channel is closed, which its event tells.
    }
  }

  #write(tag: number, isRun: boolean): void {
    this.#channel.ack({ fields: { deliveryTag: tag } } as Parameters<Channel['ack']>[0], isRun)
  }

  async #sync(): Promise<void> {
    if (this.#isSyncing) return
    this.#isSyncing = true
    try {
      while (this.#waiting && !this.#isFlushing && !this.#isClosed) {
        const asked: Batch = this.#waiting
        this.#waiting = undefined
        try {
          await this.#channel.cancel(NOBODY)
          asked.resolve()
        } catch {
          asked.reject(lost())
        }
      }
    } finally {
      this.#isSyncing = false
    }
  }
}

/** The error of a delivery that is its consumer's no longer. */
export function lost(): Error {
  return messagingError(
    'E_MESSAGE_LOST',
    'the message is not this consumer’s any more: it was settled before, or the broker has taken it back',
  )
}
