import { type Clock, systemClock } from './clock.ts'
import { toError } from './errors.ts'
import { backgroundError } from './events/runtime.ts'
import type { Bus, BusMessage, BusSubscriber } from './ports/bus.ts'

/** A bus within one process; several `connect`ed ends stand for several nodes in tests. */
export interface MemoryBus extends Bus {
  /** Another end on the same transport. */
  connect(): MemoryBus
  /** Makes this end miss what is published until `heal`, which tells its subscribers of the gap. */
  cut(): void
  heal(): void
}

interface Transport {
  clock: Clock
  sequence: bigint
  ends: Set<(message: BusMessage) => void>
}

/** Broadcast within the process: what a single process uses when there is neither PostgreSQL nor Redis. */
export function createMemoryBus({ clock = systemClock }: { clock?: Clock } = {}): MemoryBus {
  return createEnd({ clock, sequence: 0n, ends: new Set() })
}

function createEnd(transport: Transport): MemoryBus {
  const subscribers = new Map<BusSubscriber, { topic: string; turn: Promise<unknown> }>()
  let cutAt: number | undefined

  function deliver(message: BusMessage): void {
    if (cutAt !== undefined) return
    for (const [subscriber, entry] of subscribers)
      if (entry.topic === message.topic) take(entry, () => subscribers.has(subscriber) && subscriber.onMessage(message))
  }
  function take(entry: { turn: Promise<unknown> }, act: () => unknown): void {
    entry.turn = entry.turn.then(act).catch((error: unknown) => {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'memory-bus', error: toError(error) })
    })
  }
  transport.ends.add(deliver)

  return {
    async publish(topic, payload) {
      const message = { topic, payload, sequence: ++transport.sequence }
      for (const end of transport.ends) end(message)
    },
    async subscribe(topic, subscriber) {
      // A copy, so that one subscriber object may be subscribed twice.
      const own: BusSubscriber = {
        onMessage: (message) => subscriber.onMessage(message),
        onGap: (reason) => subscriber.onGap(reason),
      }
      subscribers.set(own, { topic, turn: Promise.resolve() })
      return async () => void subscribers.delete(own)
    },
    get caughtUpAt() {
      return cutAt ?? transport.clock.elapsed()
    },
    connect: () => createEnd(transport),
    cut() {
      cutAt ??= transport.clock.elapsed()
    },
    heal() {
      if (cutAt === undefined) return
      cutAt = undefined
      for (const [subscriber, entry] of subscribers) take(entry, () => subscriber.onGap('reconnect'))
    },
  }
}
