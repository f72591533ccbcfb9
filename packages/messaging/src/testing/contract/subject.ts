import assert from 'node:assert/strict'
import { newId, systemClock } from '@tailwater/core'
import type { Delivery } from '../../backend/consume_port.ts'
import type { PublishOutcome } from '../../backend/publish_port.ts'
import type { Binding, ExchangeType, SubscriptionSpec } from '../../backend/topology_port.ts'
import type { MessagingBackend } from '../../backend.ts'
import type { Message } from '../../message.ts'
import type { MessagingGround } from '../messaging_ground.ts'
import { Inbox } from './inbox.ts'

/** One sentence of the contract. */
export type Clause = (title: string, body: (subject: Subject) => Promise<void>) => void

/** What a clause says of a message; the rest does not matter to it. */
export type Said = Partial<Message> & { deliverAt?: number }

/** What a clause says of a subscription: patterns of one exchange, and what else matters. */
export type SaidOfSubscription = Partial<Omit<SubscriptionSpec, 'name' | 'bindings'>>

let names = 0

/** A backend under test on a store that other clauses use as well, each with names of its own. */
export class Subject {
  readonly backend: MessagingBackend
  readonly #ground: MessagingGround
  readonly #opened: MessagingBackend[]

  constructor(ground: MessagingGround, backend: MessagingBackend) {
    this.#ground = ground
    this.backend = backend
    this.#opened = [backend]
  }

  /** One more process on the same store. */
  async open(): Promise<MessagingBackend> {
    const backend = await this.#ground.open()
    this.#opened.push(backend)
    return backend
  }

  /** Kills a process that `open` began. */
  async crash(backend: MessagingBackend): Promise<void> {
    await this.#ground.crash(backend)
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.map((backend) => backend.stop(systemClock.elapsed())))
  }

  /** A name that nobody else has. */
  name(stem: string): string {
    return `${stem}-${process.pid}-${++names}`
  }

  async exchange(type: ExchangeType = 'topic'): Promise<string> {
    const name = this.name(type)
    await this.backend.topology.declareExchange({ name, type })
    return name
  }

  spec(name: string, bindings: readonly Binding[], said: SaidOfSubscription = {}): SubscriptionSpec {
    return { name, bindings, levels: ['normal'], ttl: undefined, maxLength: undefined, maxCrashes: 3, ...said }
  }

  /** Declares a subscription and gives its name. */
  async subscription(exchange: string, patterns: readonly string[], said?: SaidOfSubscription): Promise<string> {
    const name = this.name('subscription')
    const bindings = patterns.map((pattern) => ({ exchange, pattern }))
    await this.backend.topology.declareSubscription(this.spec(name, bindings, said))
    return name
  }

  /** A topic exchange with a subscription of everything. */
  async line(said?: SaidOfSubscription): Promise<{ exchange: string; subscription: string }> {
    const exchange = await this.exchange()
    return { exchange, subscription: await this.subscription(exchange, ['#'], said) }
  }

  message(exchange: string, topic: string, said: Said = {}): Message {
    const { deliverAt: _, ...rest } = said
    return {
      id: newId(),
      exchange,
      topic,
      body: JSON.stringify(topic),
      contentType: 'application/json',
      headers: {},
      level: 'normal',
      publishedAt: systemClock.now(),
      ...rest,
    }
  }

  async send(exchange: string, topic: string, said: Said = {}, backend = this.backend): Promise<PublishOutcome> {
    const [outcome] = await backend.publish.send([
      { message: this.message(exchange, topic, said), deliverAt: said.deliverAt },
    ])
    assert.ok(outcome, 'send tells one outcome for each message')
    return outcome
  }

  /** Publishes one message for each topic, in one call; all must be confirmed. */
  async publish(exchange: string, ...topics: string[]): Promise<void> {
    const outcomes = await this.backend.publish.send(
      topics.map((topic) => ({ message: this.message(exchange, topic) })),
    )
    assert.deepEqual(
      outcomes,
      topics.map(() => 'confirmed'),
    )
  }

  /** Consumes; deliveries are collected, and none is settled. */
  async consume(subscription: string, prefetch = 10, backend = this.backend): Promise<Inbox> {
    const inbox = new Inbox()
    inbox.consumer = await backend.consume.consume(subscription, { prefetch }, (delivery) => inbox.put(delivery))
    return inbox
  }

  /** Takes everything up to a message of the topic `last`, and gives the topics that came before it. */
  async topicsUntil(inbox: Inbox, last: string): Promise<string[]> {
    const topics: string[] = []
    for (;;) {
      const delivery = await inbox.next()
      await delivery.settle({ type: 'done' })
      if (delivery.message.topic === last) return topics
      topics.push(delivery.message.topic)
    }
  }

  /** Makes dead letters of messages; gives their subscription and exchange. */
  async dead(...topics: string[]): Promise<{ exchange: string; subscription: string; inbox: Inbox }> {
    const { exchange, subscription } = await this.line()
    await this.publish(exchange, ...topics)
    const inbox = await this.consume(subscription)
    for (const delivery of await inbox.take(topics.length)) await bury(delivery)
    return { exchange, subscription, inbox }
  }
}

/** Settles a delivery as dead. */
export function bury(delivery: Delivery): Promise<void> {
  const attempt = delivery.notes.length + 1
  const note = {
    attempt,
    at: systemClock.now(),
    error: `no ${delivery.message.topic}`,
    code: 'ENONE',
    stack: 'at test',
  }
  return delivery.settle({ type: 'dead', reason: 'attempts', note })
}

/** Settles a delivery to be tried again. */
export function retry(delivery: Delivery, after: number, error = 'no'): Promise<void> {
  const note = { attempt: delivery.notes.length + 1, at: systemClock.now(), error, code: 'ENONE', stack: undefined }
  return delivery.settle({ type: 'retry', after, note })
}

/** Topics of deliveries, in their order. */
export const topicsOf = (deliveries: readonly Delivery[]) => deliveries.map(({ message }) => message.topic)
