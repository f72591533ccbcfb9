import {
  type Bus,
  type BusMessage,
  type Clock,
  createService,
  integer,
  resolveOptions,
  type Service,
  systemClock,
  value,
} from '@tailwater/core'
import { atMost, createLoop, DRAIN_MS, pause, report, settledBy } from '../loop.ts'
import type { FeedPosition } from '../outbox/feed.ts'
import { encodeMessage } from '../outbox/message.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { SqlExecutor } from '../queryable.ts'
import { createPublisher, stopped } from './publisher.ts'
import { Subscription } from './subscription.ts'

/** How a bus is made. */
export interface PostgresBusOptions {
  /** Whose line the messages stand in; started before the bus, and stopped after it. */
  outbox: Outbox
  /** Messages that may wait to be stored; more are refused with E_BUS_FULL. @default 10000 */
  maxPending?: number
  /** Messages that may wait for one slow subscriber; more, and it loses them and hears `onGap`. @default 10000 */
  maxQueue?: number
  /** @default systemClock */
  clock?: Clock
}

/** A bus over PostgreSQL. */
export interface PostgresBus extends Bus, Service {
  /** Publishes within a transaction: the message goes out if and when it commits. */
  publishIn(tx: SqlExecutor, topic: string, payload: unknown): Promise<void>
}

/** Options with defaults filled in and values checked. */
export function resolvePostgresBusOptions(options: PostgresBusOptions) {
  return resolveOptions('createPostgresBus', options, {
    outbox: value<Outbox>('an Outbox', (given) => typeof (given as Outbox | undefined)?.feed === 'object'),
    maxPending: integer({ default: 10_000, min: 1 }),
    maxQueue: integer({ default: 10_000, min: 1 }),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock | undefined)?.after === 'function', {
      default: systemClock,
    }),
  })
}

/** Messages of one read. */
const PAGE = 1_000
/** Milliseconds without news after which a reader makes sure that the line is still the one it has read. */
const CHECK_MS = 2_000
/** Milliseconds before the next read when one has failed, or found less than was announced. */
const RETRY_MS = 100

/**
 * Makes a bus whose messages stand in the outbox's line.
 *
 * Every process reads the line from where it stands, so a message reaches it once it is connected again, in order; a notification only
 * tells it to look. When rows behind its position were trimmed, or the server lost the end of the line (a failover to a replica that
 * was behind, a restored backup), subscribers hear `onGap` and the process goes on from the end.
 *
 * @example
 * const bus = createPostgresBus({ outbox })
 * await bus.start()
 * await bus.subscribe('prices', { onMessage: ({ payload }) => forget(payload), onGap: () => forgetAll() })
 * await bus.publish('prices', { id: 42 })
 */
export function createPostgresBus(options: PostgresBusOptions): PostgresBus {
  const { outbox, maxPending, maxQueue, clock } = resolvePostgresBusOptions(options)
  const publisher = createPublisher(outbox.feed, maxPending)
  const subscriptions = new Set<Subscription>()
  let position: FeedPosition | undefined
  let running = false
  /** When the last read began that found the end of the line. */
  let caughtUpAt = Number.NEGATIVE_INFINITY

  const reader = createLoop('bus reader', clock, async (signal) => {
    let isAway = false
    while (!signal.aborted) {
      try {
        const from = position!
        await atMost(clock, CHECK_MS, signal, (soon) => outbox.feed.beyond(from, soon))
        if (signal.aborted) return
        await readOn()
        isAway = false
        // Nothing new, or announced and not to be seen: of a line that the server has since lost.
        if (position!.sequence === from.sequence) await pause(clock, RETRY_MS, signal)
      } catch (error) {
        if (!isAway) report('bus reader', error)
        isAway = true
        await pause(clock, RETRY_MS, signal)
      }
    }
  })

  async function readOn(): Promise<void> {
    const from = clock.elapsed()
    const { messages, next, lost } = await outbox.feed.read(position!, PAGE)
    if (lost) for (const subscription of subscriptions) subscription.lose(lost)
    for (const { topic, payload, sequence } of messages) dispatch({ topic, payload, sequence })
    position = next
    if (messages.length < PAGE) caughtUpAt = from
  }

  function dispatch(message: BusMessage): void {
    for (const subscription of subscriptions) if (subscription.topic === message.topic) subscription.deliver(message)
  }

  const service = createService('bus', {
    async start() {
      // Kept over a stop: what was published meanwhile is caught up with.
      position ??= await outbox.feed.end()
      publisher.open()
      running = true
      await reader.start()
    },
    async stop(deadline = clock.elapsed() + DRAIN_MS) {
      running = false
      caughtUpAt = Number.NEGATIVE_INFINITY
      await settledBy(clock, deadline, publisher.close())
      publisher.abandon()
      await reader.stop(deadline)
      await settledBy(clock, deadline, Promise.all([...subscriptions].map((subscription) => subscription.idle())))
    },
  })

  return {
    ...service,
    get caughtUpAt() {
      return caughtUpAt
    },
    async publish(topic, payload) {
      await publisher.publish(encodeMessage(topic, payload))
    },
    publishIn: (tx, topic, payload) => outbox.append(tx, topic, payload, { broadcast: true }),
    async subscribe(topic, subscriber) {
      if (!running) throw stopped()
      const subscription = new Subscription(topic, subscriber, maxQueue)
      subscriptions.add(subscription)
      return async () => {
        subscription.end()
        subscriptions.delete(subscription)
      }
    },
  }
}
