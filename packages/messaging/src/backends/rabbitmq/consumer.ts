import { backgroundError, hasCode, sleep, toError } from '@tailwater/core'
import type { Consumer, Delivery, Settlement } from '../../backend/consume_port.ts'
import { Acks, lost } from './acks.ts'
import { type Channel, type ChannelModel, type ConsumeMessage, closeQuietly, openChannel } from './amqp.ts'
import { type Arrived, RabbitDelivery, type Settling } from './delivery.ts'
import { type Reader, toExtras, toMessage } from './envelope.ts'
import type { LevelQueue } from './layout.ts'
import { LevelBuffer, WEIGHT } from './level_buffer.ts'
import { explainDeclaration } from './mismatch.ts'
import { bury, release, settleDelivery, type Ways } from './settling.ts'

/** What one consumer reads, and how it ends what it has read. */
export interface ConsumerPlan {
  readonly subscription: string
  readonly queues: readonly LevelQueue[]
  /** Times that a message may come back before it is poison; the broker counts itself where it can. */
  readonly maxCrashes: number
  readonly ways: Ways
  readonly reader: Reader
  onDelivery(delivery: Delivery): void
  /** The connection, as soon as it is up. */
  up(): Promise<ChannelModel>
  ended(consumer: RabbitConsumer): void
}

/** Milliseconds before a consumer that the broker has ended tries again, at first and at most. */
const RETRY = { min: 100, max: 2_000 }

/**
 * Reads a subscription's queues, each by a consumer of the broker's own on one channel. What has come is given by turns of the levels, never more than
 * the prefetch at once. Its modes: flowing, paused (nothing is read), stopped.
 */
export class RabbitConsumer implements Consumer, Settling {
  readonly #plan: ConsumerPlan
  readonly #buffer: LevelBuffer<Arrived>
  readonly #inHand = new Set<RabbitDelivery>()
  /** Messages that the next crash would bury; while there are any, what is in hand runs out, and then one of them runs alone. */
  #suspects: Arrived[] = []
  #alone: RabbitDelivery | undefined
  #isIsolating = false
  #mode: 'flowing' | 'paused' | 'stopped' = 'flowing'
  #prefetch: number
  #channel: Channel | undefined
  #acks: Acks | undefined
  #tags: string[] = []
  #idle: (() => void)[] = []
  /** Changes of the broker's consumers, one after another. */
  #turn: Promise<void> = Promise.resolve()

  constructor(plan: ConsumerPlan, prefetch: number) {
    this.#plan = plan
    this.#prefetch = prefetch
    this.#buffer = new LevelBuffer(plan.queues.map(({ level }) => level))
  }

  /** Opens its channel and begins to read, on a new connection too. @throws E_MESSAGE_TOPOLOGY when a queue is not there */
  open(connection: ChannelModel): Promise<void> {
    return this.#change(async () => {
      if (this.#mode === 'stopped') return
      const channel = await openChannel(connection)
      const acks = new Acks(channel)
      channel.on('close', () => this.#lose(channel, acks, connection))
      this.#channel = channel
      this.#acks = acks
      this.#tags = []
      if (this.#mode === 'flowing') await this.#read()
    })
  }

  /** Reads again on a new connection; a queue that is not there is waited for, and costs nobody the connection. */
  async restore(connection: ChannelModel): Promise<void> {
    try {
      await this.open(connection)
    } catch (error) {
      if (!hasCode(error, 'E_MESSAGE_TOPOLOGY')) throw error
    }
  }

  setPrefetch(count: number): Promise<void> {
    this.#prefetch = count
    return this.#change(async () => {
      if (this.#mode !== 'flowing' || !this.#channel || this.#isIsolating) return
      await this.#cease()
      await this.#read()
      this.#give()
    })
  }

  pause(): Promise<void> {
    if (this.#mode !== 'flowing') return this.#turn
    this.#mode = 'paused'
    return this.#change(async () => {
      await this.#cease()
      await this.#giveBackBuffer()
    })
  }

  resume(): Promise<void> {
    if (this.#mode !== 'paused') return this.#turn
    this.#mode = 'flowing'
    return this.#change(async () => {
      if (this.#channel) await this.#read()
    })
  }

  async stop(deadline?: number): Promise<void> {
    if (this.#mode === 'stopped') return this.#turn
    this.#mode = 'stopped'
    await this.#change(async () => {
      await this.#cease()
      await this.#giveBackBuffer()
      await this.#untilIdle(deadline)
      const left = [...this.#inHand]
      for (const delivery of left) delivery.take()
      await Promise.allSettled(left.map((delivery) => release(this.#plan.ways, delivery)))
      await this.#acks?.settled()
      await closeQuietly(this.#channel)
    })
    this.#plan.ended(this)
  }

  /** Changes follow each other; a connection that is lost meanwhile is mended by `open`, and no failure of theirs. */
  #change(act: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(async () => {
      const channel = this.#channel
      try {
        await act()
      } catch (error) {
        if (channel && this.#channel !== channel) return
        throw explainDeclaration(error)
      }
    })
    this.#turn = mine.catch(() => {})
    return mine
  }

  async #read(): Promise<void> {
    const channel = this.#channel!
    const acks = this.#acks!
    const { queues } = this.#plan
    for (const queue of queues) {
      // Beside others a level needs something in store, or its larger part would be lost to waiting for the broker.
      await channel.prefetch(this.#prefetch + (queues.length > 1 ? 2 * WEIGHT[queue.level] : 0))
      const tag = `${this.#plan.ways.ids()}`
      this.#tags.push(tag)
      await channel.consume(queue.name, (wire) => this.#arrive(channel, acks, queue, wire), { consumerTag: tag })
    }
  }

  async #cease(): Promise<void> {
    const tags = this.#tags.splice(0)
    if (this.#channel) await Promise.all(tags.map((tag) => this.#channel!.cancel(tag)))
  }

  #arrive(channel: Channel, acks: Acks, queue: LevelQueue, wire: ConsumeMessage | null): void {
    // Ended by the broker: the queue was deleted, or the node that has it is gone.
    if (wire === null) return void closeQuietly(channel)
    const tag = wire.fields.deliveryTag
    acks.track(tag)
    const arrived: Arrived = { queue, tag, wire, acks }
    this.#buffer.push(queue.level, arrived)
    this.#give()
  }

  #give(): void {
    while (this.#mode === 'flowing' && this.#suspects.length === 0 && !this.#isIsolating) {
      if (this.#inHand.size >= this.#prefetch) return
      const arrived = this.#buffer.shift()
      if (!arrived) return
      if (arrived.acks.isClosed) continue
      if (this.#isSuspect(arrived)) this.#suspects.push(arrived)
      else this.#giveOne(arrived)
    }
    if (this.#mode === 'flowing' && this.#inHand.size === 0 && this.#suspects.length > 0 && !this.#isIsolating)
      void this.#isolate()
  }

  #isSuspect({ wire }: Arrived): boolean {
    const { deliveryCount } = toExtras(wire)
    return deliveryCount > 0 && deliveryCount >= this.#plan.maxCrashes
  }

  /**
   * Whatever else a consumer holds when it dies is counted as well. So nothing more is read, other suspects go back, counted anew, and only then is
   * the first one given; when it has ended, reading goes on.
   */
  async #isolate(): Promise<void> {
    this.#isIsolating = true
    try {
      await this.#change(async () => {
        await this.#cease()
        const held = this.#buffer.clear()
        const [first, ...others] = [...this.#suspects.splice(0), ...held.filter((one) => this.#isSuspect(one))]
        for (const one of held) if (!this.#isSuspect(one)) this.#buffer.push(one.queue.level, one)
        await this.#giveBackAll(others)
        if (first && this.#mode === 'flowing') {
          const delivery = this.#giveOne(first)
          // Unless it was settled within the call.
          if (this.#inHand.has(delivery)) this.#alone = delivery
        } else if (first) await this.#giveBackAll([first])
      })
    } catch (error) {
      this.#tell(error)
    }
    if (!this.#alone) this.#rejoin()
  }

  /** Reads on after a suspect has run. */
  #rejoin(): void {
    this.#isIsolating = false
    this.#change(async () => {
      if (this.#mode === 'flowing' && this.#channel && this.#tags.length === 0) await this.#read()
      this.#give()
    }).catch((error: unknown) => this.#tell(error))
  }

  #tell(error: unknown): void {
    if (backgroundError.hasSubscribers)
      backgroundError.publish({ source: `rabbitmq ${this.#plan.subscription}`, error: toError(error) })
  }

  #giveOne(arrived: Arrived): RabbitDelivery {
    const { reader, maxCrashes, onDelivery } = this.#plan
    const extras = toExtras(arrived.wire)
    const delivery = new RabbitDelivery(toMessage(arrived.wire, reader), arrived, extras, this)
    this.#inHand.add(delivery)
    if (extras.deliveryCount > maxCrashes) void this.#buryPoison(delivery)
    else onDelivery(delivery)
    return delivery
  }

  done({ arrived: { acks, tag } }: RabbitDelivery): Promise<void> {
    return acks.ack(tag)
  }

  /**
   * A broker that takes nothing for a while must not cost the message its end, and the consumer the place that it has: it is said again until the
   * broker has it, or has taken the message back.
   */
  async settle(delivery: RabbitDelivery, settlement: Settlement): Promise<void> {
    const { ways } = this.#plan
    for (let pause = RETRY.min; ; pause = Math.min(RETRY.max, pause * 2)) {
      try {
        return await settleDelivery(ways, delivery, settlement)
      } catch (error) {
        if (delivery.isTaken || delivery.arrived.acks.isClosed) throw error
        if (pause === RETRY.min) this.#tell(error)
      }
      await sleep(ways.options.clock, pause)
      if (delivery.isTaken) throw lost()
    }
  }

  left(delivery: RabbitDelivery): void {
    this.#inHand.delete(delivery)
    if (this.#alone === delivery) {
      this.#alone = undefined
      this.#rejoin()
    }
    if (this.#inHand.size === 0) for (const resolve of this.#idle.splice(0)) resolve()
    this.#give()
  }

  /** Where the broker does not take poison away by itself. */
  async #buryPoison(delivery: RabbitDelivery): Promise<void> {
    try {
      await bury(this.#plan.ways, delivery, 'poison', undefined)
      await this.done(delivery)
    } catch (error) {
      // Still the broker's, which gives it again.
      this.#tell(error)
    }
    delivery.leave()
  }

  async #giveBackBuffer(): Promise<void> {
    await this.#giveBackAll([...this.#suspects.splice(0), ...this.#buffer.clear()])
  }

  async #giveBackAll(all: readonly Arrived[]): Promise<void> {
    const { ways, reader } = this.#plan
    // The last first: the broker puts each at the head.
    await Promise.allSettled(
      all
        .toReversed()
        .map((one) =>
          release(ways, { arrived: one, extras: toExtras(one.wire), message: toMessage(one.wire, reader) }),
        ),
    )
  }

  async #untilIdle(deadline: number | undefined): Promise<void> {
    if (this.#inHand.size === 0) return
    const { clock } = this.#plan.ways.options
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#idle.push(resolve)
    const cancel = deadline === undefined ? () => {} : clock.after(Math.max(0, deadline - clock.elapsed()), resolve)
    await promise
    cancel()
  }

  /** What was unsettled on a closed channel is the broker's again. */
  #lose(channel: Channel, acks: Acks, connection: ChannelModel): void {
    acks.close()
    if (channel !== this.#channel) return
    this.#channel = undefined
    this.#acks = undefined
    this.#tags = []
    this.#buffer.clear()
    this.#suspects = []
    for (const delivery of [...this.#inHand]) if (delivery.arrived.acks === acks) delivery.take()
    if (this.#mode !== 'stopped') void this.#reopen(connection)
  }

  /** A channel that was closed alone is opened again; a lost connection is followed by a call of `open`. */
  async #reopen(connection: ChannelModel): Promise<void> {
    const { clock } = this.#plan.ways.options
    for (let pause = RETRY.min; this.#mode !== 'stopped' && !this.#channel; pause = Math.min(RETRY.max, pause * 2)) {
      await sleep(clock, pause)
      try {
        const now = await this.#plan.up()
        if (now !== connection) return
        if (!this.#channel) await this.open(now)
      } catch (error) {
        this.#tell(error)
      }
    }
  }
}
