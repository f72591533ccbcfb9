import { toError } from '@tailwater/core'
import type { JobsBackend, NewJob } from '@tailwater/jobs'
import type { Outgoing, PublishOutcome, PublishPort } from '../../backend/publish_port.ts'
import type { SubscriptionSpec } from '../../backend/topology_port.ts'
import { messagingError } from '../../errors.ts'
import type { Message } from '../../message.ts'
import type { LiveRouting } from '../../routing/live_routing.ts'
import type { Router } from '../../routing/router.ts'
import { jobIdsOf } from './job_id.ts'
import { encodeMessage, messageJob } from './message_job.ts'
import { type LevelQueue, queueOfLevel, queuesOf } from './queue_name.ts'

/** Messages that may wait to be stored, when the store is slow or away; more are refused. */
const MAX_WAITING = 20_000

/** What a publisher is made of. */
export interface PublisherParts {
  readonly store: JobsBackend
  readonly routing: LiveRouting
  /** Brings messages to those who listen without a queue. */
  readonly broadcast: (messages: readonly Message[]) => Promise<void>
  /** Consumers of this process need not wait to be told. */
  readonly wake: (queue: string) => void
}

interface Call {
  readonly outgoing: readonly Outgoing[]
  resolve(outcomes: PublishOutcome[]): void
  reject(error: Error): void
}

/** What a call comes to, before it is stored. */
interface Plan {
  readonly call: Call
  readonly jobs: NewJob[]
  readonly outcomes: PublishOutcome[]
  readonly heard: Message[]
}

interface Target {
  readonly queues: readonly LevelQueue[]
  readonly idOf: (messageId: string) => string
}

/**
 * Stores messages as jobs, one for each subscription that they are for.
 *
 * The calls of a tick, and those that came while a batch was on its way, go together: one look at the routing table's version and one statement. One batch
 * is on its way at a time, so that what one publisher says stays in its order. A call that cannot be routed, or is for a full subscription, fails alone; one that
 * the store fails at fails with its batch, of which all or nothing is stored.
 */
export function createPublisher(parts: PublisherParts): PublishPort {
  const { store } = parts
  const targets = new WeakMap<SubscriptionSpec, Target>()
  let waiting: Call[] = []
  let count = 0
  let isPlanned = false

  function plan(): void {
    if (isPlanned) return
    isPlanned = true
    // After the microtasks of this tick, which may publish as well.
    process.nextTick(() => void flush())
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) await sendBatch(nextBatch())
    isPlanned = false
  }

  function nextBatch(): Call[] {
    let messages = 0
    let end = 0
    while (end < waiting.length && (end === 0 || messages + waiting[end]!.outgoing.length <= store.jobs.maxBatch))
      messages += waiting[end++]!.outgoing.length
    const batch = waiting.slice(0, end)
    waiting = waiting.slice(end)
    count -= messages
    return batch
  }

  async function sendBatch(batch: readonly Call[]): Promise<void> {
    try {
      const router = await parts.routing.now()
      const rooms = new Rooms(store)
      const plans: Plan[] = []
      for (const call of batch) {
        const planned = await planCall(router, rooms, call)
        if (planned) plans.push(planned)
      }
      await storeAll(plans)
      for (const { call, outcomes } of plans) call.resolve(outcomes)
    } catch (thrown) {
      const error = toError(thrown)
      for (const { reject } of batch) reject(error)
    }
  }

  async function planCall(router: Router, rooms: Rooms, call: Call): Promise<Plan | undefined> {
    try {
      const planned: Plan = { call, jobs: [], outcomes: [], heard: [] }
      const wanted = new Map<SubscriptionSpec, number>()
      for (const one of call.outgoing) planOne(router, one, planned, wanted)
      await rooms.take(wanted)
      return planned
    } catch (error) {
      call.reject(toError(error))
      return undefined
    }
  }

  function planOne(router: Router, one: Outgoing, plan: Plan, wanted: Map<SubscriptionSpec, number>): void {
    const { message } = one
    const { subscriptions, isHeard } = router.route(message.exchange, message.topic)
    plan.outcomes.push(subscriptions.length > 0 || isHeard ? 'confirmed' : 'unroutable')
    if (isHeard) plan.heard.push(message)
    if (subscriptions.length === 0) return
    const payload = encodeMessage(message)
    for (const subscription of subscriptions) {
      const { idOf, queues } = targetOf(subscription)
      plan.jobs.push(messageJob(idOf(message.id), queueOfLevel(queues, message.level), payload, one))
      if (subscription.maxLength !== undefined) wanted.set(subscription, (wanted.get(subscription) ?? 0) + 1)
    }
  }

  function targetOf(subscription: SubscriptionSpec): Target {
    const known = targets.get(subscription)
    if (known) return known
    const target = { queues: queuesOf(subscription), idOf: jobIdsOf(subscription.name) }
    targets.set(subscription, target)
    return target
  }

  async function storeAll(plans: readonly Plan[]): Promise<void> {
    const jobs = plans.flatMap((one) => one.jobs)
    for (let at = 0; at < jobs.length; at += store.jobs.maxBatch)
      await store.jobs.add(jobs.slice(at, at + store.jobs.maxBatch))
    const heard = plans.flatMap((one) => one.heard)
    if (heard.length > 0) await parts.broadcast(heard)
    for (const queue of new Set(jobs.map((job) => job.queue))) parts.wake(queue)
  }

  return {
    send(outgoing) {
      if (outgoing.length === 0) return Promise.resolve([])
      if (count + outgoing.length > MAX_WAITING && count > 0) return Promise.reject(blocked(count))
      count += outgoing.length
      return new Promise((resolve, reject) => {
        waiting.push({ outgoing, resolve, reject })
        plan()
      })
    },
  }
}

function blocked(count: number): Error {
  return messagingError(
    'E_MESSAGE_BLOCKED',
    `${count} messages wait to be stored already: await publish, or publish less`,
    { waiting: count },
  )
}

/** Room that is left in subscriptions with a limit, as one batch sees it; publishers of other processes may take the same places at the same time. */
class Rooms {
  readonly #store: JobsBackend
  readonly #rooms = new Map<SubscriptionSpec, number>()

  constructor(store: JobsBackend) {
    this.#store = store
  }

  /** @throws E_MESSAGE_QUEUE_FULL, and then takes nothing */
  async take(wanted: ReadonlyMap<SubscriptionSpec, number>): Promise<void> {
    for (const [subscription, count] of wanted) if ((await this.#room(subscription)) < count) throw full(subscription)
    for (const [subscription, count] of wanted) this.#rooms.set(subscription, this.#rooms.get(subscription)! - count)
  }

  async #room(subscription: SubscriptionSpec): Promise<number> {
    const known = this.#rooms.get(subscription)
    if (known !== undefined) return known
    const counts = await Promise.all(queuesOf(subscription).map(({ queue }) => this.#store.inspect.counts(queue)))
    const waiting = counts.reduce(
      (sum, { available, scheduled, retryable }) => sum + available + scheduled + retryable,
      0,
    )
    const room = subscription.maxLength! - waiting
    this.#rooms.set(subscription, room)
    return room
  }
}

function full({ name, maxLength }: SubscriptionSpec): Error {
  return messagingError('E_MESSAGE_QUEUE_FULL', `subscription '${name}' is full: ${maxLength} messages wait in it`, {
    subscription: name,
    maxLength,
  })
}
