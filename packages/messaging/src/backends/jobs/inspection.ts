import { toError } from '@tailwater/core'
import type { JobCounts, JobsBackend } from '@tailwater/jobs'
import type { InspectPort, SubscriptionState } from '../../backend/inspect_port.ts'
import type { SubscriptionSpec } from '../../backend/topology_port.ts'
import type { RoutingStore } from '../../routing/routing_table.ts'
import { possibleQueues, queuesOf } from './queue_name.ts'

/** Minutes from whose ends a rate is made, and their seconds. */
const RATE_MINUTES = 1
const SECONDS = 60 * RATE_MINUTES

/** What the jobs' store knows of subscriptions. */
export function inspectPort(store: JobsBackend, routing: RoutingStore): InspectPort {
  const { inspect } = store

  async function stateOf(subscription: SubscriptionSpec): Promise<SubscriptionState> {
    const stats = await Promise.all(queuesOf(subscription).map(({ queue }) => inspect.stats(queue)))
    const ages = stats.map(({ oldestAvailable }) => oldestAvailable).filter((age) => age !== undefined)
    const ended = stats.flatMap(({ minutes }) => minutes.slice(-RATE_MINUTES))
    return {
      name: subscription.name,
      bindings: subscription.bindings,
      waiting: sum(stats.map(({ counts }) => waitingOf(counts))),
      unsettled: sum(stats.map(({ counts }) => counts.running)),
      consumers: undefined,
      dead: sum(stats.map(({ counts }) => counts.dead)),
      rates: { in: undefined, out: sum(ended.map(({ completed }) => completed)) / SECONDS },
      oldest: ages.length === 0 ? undefined : Math.max(...ages),
    }
  }

  return {
    exchanges: async () => [...(await routing.read()).exchanges],
    async subscriptions() {
      return Promise.all((await routing.read()).subscriptions.map(stateOf))
    },
    async subscription(name) {
      const found = (await routing.read()).subscriptions.find((one) => one.name === name)
      return found && stateOf(found)
    },
    async waiting(name) {
      const counts = await Promise.all(possibleQueues(name).map((queue) => inspect.counts(queue)))
      return sum(counts.map(waitingOf))
    },
    async health() {
      try {
        await routing.version()
        return { isUp: true, isBlocked: false, detail: `messages are jobs of the ${store.name} backend` }
      } catch (error) {
        return { isUp: false, isBlocked: false, detail: toError(error).message }
      }
    },
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0)

const waitingOf = ({ available, scheduled, retryable }: JobCounts) => available + scheduled + retryable
