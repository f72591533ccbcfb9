import {
  type Bus,
  backgroundError,
  type Cancel,
  type Clock,
  createService,
  type Duration,
  duration,
  type IdSource,
  newId,
  processIdentity,
  resolveOptions,
  type Service,
  startAll,
  stopAll,
  systemClock,
  toError,
  value,
} from '@tailwater/core'
import type { JobsBackend } from '@tailwater/jobs'
import type { ConsumePort } from '../../backend/consume_port.ts'
import type { MessagingBackend } from '../../backend.ts'
import { messagingError } from '../../errors.ts'
import { LiveRouting } from '../../routing/live_routing.ts'
import type { RoutingStore } from '../../routing/routing_table.ts'
import { Broadcasts } from './broadcasts.ts'
import { ConsumerLoop } from './consumer_loop.ts'
import { deadLetterPort } from './dead_letters.ts'
import { inspectPort } from './inspection.ts'
import { createPublisher } from './publisher.ts'
import { queuesOf } from './queue_name.ts'
import { BusReplies } from './replies.ts'
import { topologyPort } from './topology.ts'

/** What messages are carried over. */
export interface JobsMessagingOptions {
  /** Where they wait; of a store of its own, or one that an application's jobs are in as well. Started and stopped with this backend. */
  store: JobsBackend
  /** Where exchanges and subscriptions are declared. */
  routing: RoutingStore
  /** What broadcasts and replies go over; running while this backend is. */
  bus: Bus
  /** Started before, and stopped after, what is built on them. */
  services?: readonly Service[]
  /** After this time without a sign of life a consumer is taken for dead, and what it holds is given to others. @default '30s' */
  lease?: Duration
  /** Longest time between two looks at the store when nothing wakes a consumer. @default '5s' */
  pollInterval?: Duration
  /** @default systemClock */
  clock?: Clock
  /** @default newId */
  ids?: IdSource
}

/** Milliseconds in which consumers finish when nobody says until when. */
const DRAIN = 10_000
/** Poll intervals between two sweeps of one process. */
const POLLS_PER_SWEEP = 2

const has = (method: string) => (given: unknown) =>
  typeof (given as Record<string, unknown> | undefined)?.[method] === 'function'

/** @throws E_OPTIONS */
export function resolveJobsMessagingOptions(options: JobsMessagingOptions) {
  return resolveOptions('createJobsMessaging', options, {
    store: value<JobsBackend>('a JobsBackend', (given) => has('turn')((given as JobsBackend | undefined)?.work)),
    routing: value<RoutingStore>('a RoutingStore', has('putSubscription')),
    bus: value<Bus>('a Bus', has('subscribe')),
    services: value<readonly Service[]>('an array of services', Array.isArray, { default: [] }),
    lease: duration({ min: 1_000, max: 3_600_000, default: '30s' }),
    pollInterval: duration({ min: 10, max: 3_600_000, default: '5s' }),
    clock: value<Clock>('a Clock', has('after'), { default: systemClock }),
    ids: value<IdSource>('a function that makes ids', (given) => typeof given === 'function', { default: newId }),
  })
}

/**
 * Messages over jobs: exchanges and bindings are a table, a durable subscription is a queue of jobs, a message for it is one job, and a dead letter a dead job.
 *
 * So they are as durable as the jobs' store, and are seen and redriven where jobs are. See docs/decisions/0024-messaging.md.
 *
 * @throws E_OPTIONS
 */
export function createJobsMessaging(options: JobsMessagingOptions): MessagingBackend {
  const { store, routing, bus, services, ...settings } = resolveJobsMessagingOptions(options)
  const { clock, ids } = settings
  const live = new LiveRouting(routing)
  const broadcasts = new Broadcasts({ bus, routing, clock, ids })
  const replies = new BusReplies(bus, ids)
  const consumers = new Set<ConsumerLoop>()
  const wake = (queue: string) => {
    for (const consumer of consumers) consumer.wake(queue)
  }
  const own = createOwn({ store, replies, broadcasts, consumers, wake, clock, pollInterval: settings.pollInterval })
  const checked = <T extends object>(port: T): T => guarded(port, own)

  const consume: ConsumePort = {
    async consume(subscription, { prefetch }, onDelivery) {
      const router = await live.now()
      const spec = router.table.subscriptions.find(({ name }) => name === subscription)
      if (!spec) throw noSubscription(subscription)
      const loop: ConsumerLoop = new ConsumerLoop(
        {
          ...settings,
          work: store.work,
          inspect: store.inspect,
          worker: `${processIdentity}:${ids().slice(-12)}`,
          subscription,
          spec: () => spec,
          queues: queuesOf(spec),
          onDelivery,
          onStopped: () => consumers.delete(loop),
        },
        prefetch,
      )
      consumers.add(loop)
      return loop
    },
    listen: (bindings, onMessage) => broadcasts.listen(bindings, onMessage),
  }

  const all = [...services, store, own]
  return {
    ...createService('messaging-jobs', {
      start: () => startAll(all),
      stop: (deadline) => stopAll(all, deadline),
    }),
    name: 'jobs',
    topology: checked(topologyPort(store, routing)),
    publish: checked(createPublisher({ store, routing: live, broadcast: (all) => broadcasts.publish(all), wake })),
    consume: checked(consume),
    replies,
    deadLetters: deadLetterPort(store, wake),
    inspect: inspectPort(store, routing),
  }
}

/** What runs while the backend does. */
function createOwn(parts: {
  store: JobsBackend
  replies: BusReplies
  broadcasts: Broadcasts
  consumers: Set<ConsumerLoop>
  wake: (queue: string) => void
  clock: Clock
  pollInterval: number
}): Service & { readonly isRunning: boolean } {
  const { store, replies, broadcasts, consumers, clock } = parts
  let isRunning = false
  let cancelSweep: Cancel = () => {}
  let unlisten: () => Promise<void> = async () => {}

  function planSweep(): void {
    const wait = Math.ceil(POLLS_PER_SWEEP * parts.pollInterval * (1 - 0.2 * Math.random()))
    cancelSweep = clock.after(wait, () => {
      planSweep()
      void store.maintain.sweep().catch(report)
    })
  }

  const service = createService('messaging-jobs-consumers', {
    async start() {
      await replies.start()
      unlisten = await store.jobs.onAvailable(parts.wake)
      planSweep()
      isRunning = true
    },
    async stop(deadline = clock.elapsed() + DRAIN) {
      isRunning = false
      cancelSweep()
      await Promise.all([...consumers].map((consumer) => consumer.stop(deadline)))
      await unlisten().catch(report)
      await broadcasts.stop()
      await replies.stop()
    },
  })
  return {
    ...service,
    get isRunning() {
      return isRunning
    },
  }
}

/** Refuses the calls of a port while the backend is not running. */
function guarded<T extends object>(port: T, own: { readonly isRunning: boolean }): T {
  const calls = Object.entries(port).map(([name, call]) => [
    name,
    async (...given: unknown[]) => {
      if (!own.isRunning) throw messagingError('E_MESSAGE_NOT_STARTED', `messaging is not started, or stopped: ${name}`)
      return (call as (...all: unknown[]) => unknown)(...given)
    },
  ])
  return Object.fromEntries(calls) as T
}

function noSubscription(subscription: string): Error {
  return messagingError('E_MESSAGE_TOPOLOGY', `there is no subscription '${subscription}': declare it first`, {
    subscription,
  })
}

function report(error: unknown): void {
  if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'messaging-jobs', error: toError(error) })
}
