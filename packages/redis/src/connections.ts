import { backoff } from './backoff.ts'
import type { ConnectionBudget, OpenConnection } from './budget.ts'
import type { RedisArgument, RedisClient, RedisNode } from './client.ts'
import { createClusterLink } from './cluster_link.ts'
import { createExternalLink } from './external_link.ts'
import { toRedisError } from './failure.ts'
import { besideOptions, buildCluster, buildSingle, type ConnectionKind, loadIoRedis, targetOf } from './ioredis.ts'
import { createLink, type Link, type LinkOptions, unavailable } from './link.ts'
import type { ResolvedRedisOptions } from './options.ts'
import { type ChannelListener, createChannelSet } from './subscription.ts'

/** The connections of one `Redis`: one for commands, one for all channels once somebody listens, and those that block. */
export interface Connections {
  readonly topology: 'single' | 'sentinel' | 'cluster' | 'external'
  readonly target: string
  readonly commands: Link
  start(): Promise<void>
  stop(): Promise<void>
  subscribe(channel: string, listener: ChannelListener): Promise<() => void>
  dedicated(label: string): Promise<DedicatedConnection>
  list(): readonly OpenConnection[]
}

/** A connection for one purpose. */
export interface DedicatedConnection {
  command(command: string, ...args: RedisArgument[]): Promise<unknown>
  close(): Promise<void>
}

/** A client that can make another like itself: of ioredis, ours or the application's. */
interface Duplicable extends RedisClient {
  duplicate(override: object): RedisClient
  nodes?(role: 'master'): (Duplicable & RedisNode)[]
}

/** Makes the connections, none of them open. */
export function createConnections(options: ResolvedRedisOptions, budget: ConnectionBudget): Connections {
  const target = targetOf(options)
  const channels = createChannelSet()
  const blocking = new Map<Link, () => void>()
  const topology = options.client ? 'external' : options.cluster ? 'cluster' : options.sentinel ? 'sentinel' : 'single'
  const commands = createCommandLink(options, target)
  const { lazy } = options
  const shared = { target, clock: options.clock, reconnect: options.reconnect, connectTimeout: attemptTimeout(options) }
  let subscriber: Link | undefined
  let opening: Promise<Link> | undefined
  let giveBack: (() => void)[] = []

  /** A single connection beside that for commands. In a cluster it leads to one of the masters. */
  async function dialBeside(label: string, kind: ConnectionKind): Promise<RedisClient> {
    if (topology === 'single' || topology === 'sentinel') return buildSingle(await loadIoRedis(), options, label, kind)
    const whole = (await commands.whenReady(options.connectTimeout)) as Duplicable
    const masters = whole.isCluster ? (whole.nodes?.('master') ?? []) : [whole]
    const origin = masters[Math.floor(Math.random() * masters.length)]
    if (!origin) throw new Error('no master of the cluster is known')
    return origin.duplicate(besideOptions(options, label, kind))
  }

  function openSubscriber(): Promise<Link> {
    opening ??= startSubscriber().catch((error: unknown) => {
      opening = undefined
      throw error
    })
    return opening
  }

  async function startSubscriber(): Promise<Link> {
    const places = budget.take('subscriber')
    const dial = () => dialBeside('subscriber', 'plain')
    const prepare = (client: RedisClient) => channels.prepare(client)
    const link = createLink({ ...shared, label: 'subscriber', lazy, dial, prepare })
    await link.start().catch((error: unknown) => {
      places()
      throw error
    })
    giveBack.push(places)
    subscriber = link
    return link
  }

  function links(): Link[] {
    return [commands, ...(subscriber ? [subscriber] : []), ...blocking.keys()]
  }

  return {
    topology,
    target,
    commands,
    async start() {
      giveBack.push(budget.take('commands', options.cluster?.nodes.length ?? 1))
      await commands.start().catch((error: unknown) => {
        for (const give of giveBack.splice(0)) give()
        throw error
      })
      // Channels outlive a stop.
      if (channels.size > 0) await openSubscriber()
    },
    async stop() {
      // A subscriber that is just being opened is waited for, and then closed with the rest.
      await opening?.catch(() => {})
      await Promise.all(links().map((link) => link.stop()))
      for (const give of blocking.values()) give()
      blocking.clear()
      subscriber = undefined
      opening = undefined
      for (const give of giveBack) give()
      giveBack = []
    },
    async subscribe(channel, listener) {
      channels.add(channel, listener)
      try {
        const link = await openSubscriber()
        // After the registration: a connection that is being made just now may have missed it.
        const live = link
          .whenReady(lazy ? undefined : options.connectTimeout)
          .then((client) => channels.listen(client, channel, listener))
        if (lazy && !link.client) live.catch(() => {})
        else await live
      } catch (error) {
        channels.remove(channel, listener)
        throw toRedisError(error, target)
      }
      return () => channels.remove(channel, listener)
    },
    async dedicated(label) {
      const places = budget.take(label)
      const link = createLink({ ...shared, label, lazy: false, dial: () => dialBeside(label, 'blocking') })
      await link.start().catch((error: unknown) => {
        places()
        throw error
      })
      blocking.set(link, places)
      return {
        command: async (command, ...args) => {
          if (!link.client) throw unavailable(target, link.lastError)
          return link.client.call(command, args).catch((error: unknown) => {
            throw toRedisError(error, target)
          })
        },
        async close() {
          blocking.delete(link)
          await link.stop()
          places()
        },
      }
    },
    list: () => links().map((link) => ({ label: link.label, target: link.target, isReady: link.client !== undefined })),
  }
}

function createCommandLink(options: ResolvedRedisOptions, target: string): Link {
  const { clock, lazy, reconnect, client } = options
  const label = 'commands'
  const shared: Omit<LinkOptions, 'dial'> = {
    label,
    target,
    lazy,
    clock,
    reconnect,
    connectTimeout: attemptTimeout(options),
  }
  if (client) return createExternalLink(client, shared)
  if (!options.cluster)
    return createLink({ ...shared, dial: async () => buildSingle(await loadIoRedis(), options, label, 'plain') })
  const pause = (attempt: number) => backoff(reconnect, attempt)
  return createClusterLink({
    ...shared,
    dial: async () => buildCluster(await loadIoRedis(), options, { label, pause }),
  })
}

/** Each sentinel may take the whole time before the next is asked, and then the master. */
function attemptTimeout({ connectTimeout, sentinel }: ResolvedRedisOptions): number {
  return sentinel ? connectTimeout * (sentinel.nodes.length + 1) : connectTimeout
}
