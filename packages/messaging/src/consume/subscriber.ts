import { backgroundError, type Clock, messageConsumer, toError } from '@tailwater/core'
import { Autoscaler, Lane } from '@tailwater/jobs'
import type { Consumer, Delivery } from '../backend/consume_port.ts'
import type { SubscriptionSpec } from '../backend/topology_port.ts'
import type { MessagingBackend } from '../backend.ts'
import type { Policy } from '../policy/policy.ts'
import { type AttemptParts, attempt } from './attempt.ts'
import type { ResolvedSubscription } from './subscription_options.ts'

/** What a subscription does in this process. */
export interface SubscriptionStatus {
  readonly name: string
  /** Handlers that run, and that may run at once. */
  readonly running: number
  readonly concurrency: number
  /** Messages that are held here and wait for a handler. */
  readonly held: number
  /** Who paused it. */
  readonly pausedBy: readonly ('breaker' | 'caller')[]
}

/** A durable subscription of this process. */
export interface Subscription {
  readonly name: string
  readonly status: SubscriptionStatus
  /** Takes nothing more in this process, until `resume`; what runs goes on, and others are not touched. */
  pause(): Promise<void>
  resume(): Promise<void>
}

/** What a subscriber is made of. */
export interface SubscriberParts {
  readonly spec: SubscriptionSpec
  readonly options: ResolvedSubscription
  readonly backend: MessagingBackend
  readonly clock: Clock
  /** Whose breaker pauses it; looked up when it starts, so that policies may be made later. */
  readonly policy: () => Policy | undefined
  readonly attempts: AttemptParts
  /** Share of time in which the event loop was busy since it was last asked. @default measured */
  readonly utilisation?: () => number
}

/**
 * Serves one subscription: runs handlers, no more at once than it may, and takes no more than they can do.
 *
 * Modes: *stopped*; *open*; *paused*, by its caller, by a breaker, or by both: what waits for a handler is given back, what runs goes on; *trying*: the breaker is
 * half-open, and one message at a time is taken until it has closed.
 */
export class Subscriber implements Subscription {
  readonly name: string
  readonly #parts: SubscriberParts
  readonly #lane: Lane
  readonly #scaler: Autoscaler
  readonly #pausedBy = new Set<'breaker' | 'caller'>()
  #line: Delivery[] = []
  #consumer: Consumer | undefined
  #isTrying = false
  #unhear: () => void = () => {}
  #shown: number

  constructor(parts: SubscriberParts) {
    const { min, max } = parts.options.concurrency
    this.name = parts.spec.name
    this.#parts = parts
    this.#lane = new Lane(this.name, min)
    this.#shown = min
    const scaled = [{ lane: this.#lane, min, max }]
    this.#scaler = new Autoscaler(parts.clock, scaled, () => this.#resized(), parts.utilisation)
  }

  get status(): SubscriptionStatus {
    const { name } = this
    return {
      name,
      running: this.#lane.running,
      concurrency: this.#limit,
      held: this.#line.length,
      pausedBy: [...this.#pausedBy],
    }
  }

  get #limit(): number {
    return this.#isTrying ? 1 : this.#lane.max
  }

  get #prefetch(): number {
    return this.#isTrying ? 1 : (this.#parts.options.prefetch ?? this.#lane.max)
  }

  async start(): Promise<void> {
    const { backend, spec, options, policy } = this.#parts
    await backend.topology.declareSubscription(spec)
    if (options.concurrency.max === 0) return
    const guard = policy()
    this.#unhear()
    this.#follow(guard?.state.breaker)
    this.#unhear = guard?.onBreaker((state) => this.#follow(state)) ?? (() => {})
    this.#consumer = await backend.consume.consume(this.name, { prefetch: this.#prefetch }, (delivery) =>
      this.#take(delivery),
    )
    if (this.#pausedBy.size > 0) await this.#consumer.pause()
    this.#scaler.start()
  }

  async stop(deadline?: number): Promise<void> {
    this.#scaler.stop()
    this.#unhear()
    const consumer = this.#consumer
    this.#consumer = undefined
    this.#giveBack()
    await consumer?.stop(deadline)
  }

  pause(): Promise<void> {
    return this.#pause('caller')
  }

  resume(): Promise<void> {
    return this.#resume('caller')
  }

  #take(delivery: Delivery): void {
    if (this.#pausedBy.size > 0 || !this.#consumer) {
      void delivery.settle({ type: 'released' }).catch(report)
      return
    }
    const { availableAt, message, notes } = delivery
    const since = availableAt ?? (notes.length === 0 ? message.publishedAt : undefined)
    if (since !== undefined) this.#lane.lag = this.#parts.clock.now() - since
    if (this.#lane.running < this.#limit) void this.#run(delivery)
    else this.#line.push(delivery)
  }

  async #run(delivery: Delivery): Promise<void> {
    this.#lane.running++
    try {
      await attempt(this.#parts.attempts, delivery)
    } catch (error) {
      report(error)
    } finally {
      this.#lane.running--
      this.#runNext()
    }
  }

  #runNext(): void {
    while (this.#lane.running < this.#limit && this.#line.length > 0) {
      const next = this.#line.shift()!
      if (!next.signal.aborted) void this.#run(next)
    }
  }

  #giveBack(): void {
    for (const delivery of this.#line.splice(0)) void delivery.settle({ type: 'released' }).catch(report)
  }

  #follow(state: 'closed' | 'open' | 'half-open' | undefined): void {
    if (state === 'open') void this.#pause('breaker').catch(report)
    else if (state !== undefined) {
      this.#isTrying = state === 'half-open'
      this.#resized()
      void this.#resume('breaker').catch(report)
    }
  }

  async #pause(cause: 'breaker' | 'caller'): Promise<void> {
    if (this.#pausedBy.has(cause)) return
    this.#pausedBy.add(cause)
    this.#publish('paused', cause)
    this.#giveBack()
    await this.#consumer?.pause()
  }

  async #resume(cause: 'breaker' | 'caller'): Promise<void> {
    if (!this.#pausedBy.delete(cause)) return
    this.#publish('resumed', cause)
    if (this.#pausedBy.size === 0) await this.#consumer?.resume()
  }

  #resized(): void {
    if (this.#lane.max !== this.#shown) {
      this.#shown = this.#lane.max
      this.#publish('scaled', 'load')
    }
    void this.#consumer?.setPrefetch(this.#prefetch).catch(report)
    this.#runNext()
  }

  #publish(change: 'paused' | 'resumed' | 'scaled', cause: 'breaker' | 'caller' | 'load'): void {
    if (!messageConsumer.hasSubscribers) return
    messageConsumer.publish({ subscription: this.name, change, concurrency: this.#limit, cause })
  }
}

function report(error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging', error: toError(error) })
}
