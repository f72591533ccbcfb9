import type { JobState, JobsBackend } from '@tailwater/jobs'
import type { SubscriptionSpec, TopologyPort } from '../../backend/topology_port.ts'
import { messagingError } from '../../errors.ts'
import { unknownExchange } from '../../routing/router.ts'
import type { RoutingStore } from '../../routing/routing_table.ts'
import { queuesOf } from './queue_name.ts'

/** Jobs of one bite. */
const BITE = 500
/** What has not ended and does not run. */
const WAITING: readonly JobState[] = ['available', 'scheduled', 'retryable']
/** Milliseconds: older than that is everything, what came in this millisecond too. */
export const ANY_AGE = -1
/** Milliseconds that dead letters are kept: a year. */
const DEAD_AGE = 31_536_000_000

/** Declarations in a routing store, and the queues that they stand for. */
export function topologyPort(store: JobsBackend, routing: RoutingStore): TopologyPort {
  async function standing(name: string): Promise<SubscriptionSpec | undefined> {
    return (await routing.read()).subscriptions.find((subscription) => subscription.name === name)
  }

  /** What lies in queues of levels that are no longer kept apart goes to where its like will go. */
  async function moveLeftovers(before: SubscriptionSpec, now: SubscriptionSpec): Promise<void> {
    const kept = queuesOf(now)
    const to = kept.at(-1)!.queue
    for (const { queue } of queuesOf(before)) {
      if (kept.some((one) => one.queue === queue)) continue
      for (;;) {
        const { jobs } = await store.inspect.list({ queue, states: [...WAITING, 'dead'] }, { limit: BITE })
        const moved = await Promise.all(jobs.map(({ id }) => store.maintain.edit(id, { queue: to })))
        if (!moved.some(Boolean)) break
      }
    }
  }

  return {
    async declareExchange(exchange) {
      const { type } = await routing.putExchange(exchange)
      if (type === exchange.type) return
      throw messagingError(
        'E_MESSAGE_TOPOLOGY',
        `exchange '${exchange.name}' exists as ${type}, and is declared as ${exchange.type}: use another name, or remove it first`,
        { exchange: exchange.name, existing: type, declared: exchange.type },
      )
    },
    async declareSubscription(subscription) {
      const { exchanges, subscriptions } = await routing.read()
      const known = exchanges.map(({ name }) => name)
      for (const { exchange } of subscription.bindings)
        if (!known.includes(exchange)) throw unknownExchange(exchange, known)
      const before = subscriptions.find(({ name }) => name === subscription.name)
      for (const { queue } of queuesOf(subscription))
        await store.maintain.configure(
          queue,
          {},
          // What is done is of no use to anybody; dead letters are kept until somebody deals with them.
          { completed: { age: 0, count: 0 }, cancelled: { age: 0, count: 0 }, dead: { age: DEAD_AGE } },
        )
      await routing.putSubscription(subscription)
      if (before) await moveLeftovers(before, subscription)
    },
    async removeSubscription(name) {
      const subscription = await standing(name)
      if (!(await routing.removeSubscription(name)) || !subscription) return false
      for (const { queue } of queuesOf(subscription))
        while ((await store.maintain.clean({ queue, states: WAITING }, ANY_AGE, BITE)) > 0);
      return true
    },
  }
}
