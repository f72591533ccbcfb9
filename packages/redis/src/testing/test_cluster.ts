import { freePort } from '@tailwater/core/testing'
import type { RedisAddress } from '../options.ts'
import { until } from './ask.ts'
import { startServer, type TestRedis } from './test_redis.ts'

/** A cluster of masters with a replica each. */
export interface TestCluster {
  readonly nodes: readonly RedisAddress[]
  /** The servers: first the masters, then their replicas, as it was at the beginning. */
  readonly servers: readonly TestRedis[]
  /** The master that serves a slot now. */
  masterOf(slot: number): Promise<TestRedis>
  /** Resolves when a slot is served by another master than this one. */
  failedOver(slot: number, from: TestRedis): Promise<TestRedis>
  stop(): Promise<void>
}

/** Slots of a cluster. */
const SLOTS = 16_384
const MASTERS = 3

/** Milliseconds of silence before a node counts as dead, and answers of one lost master that do not stop the other slots. */
const SETTINGS = [
  ...['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no'],
  ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
]

/** Starts three masters and three replicas on free ports, and joins them. `args` go to every server. */
export async function startRedisCluster({
  password,
  args = [],
}: {
  password?: string
  args?: readonly string[]
} = {}): Promise<TestCluster> {
  const servers = await Promise.all(Array.from({ length: MASTERS * 2 }, () => startNode(password, args)))
  const masters = servers.slice(0, MASTERS)
  await Promise.all(
    masters.map((server, index) => server.ask(`CLUSTER ADDSLOTSRANGE ${firstSlot(index)} ${firstSlot(index + 1) - 1}`)),
  )
  // The first meets the others; they learn of each other by gossip.
  for (const { port, bus } of servers.slice(1)) await servers[0]!.ask(`CLUSTER MEET 127.0.0.1 ${port} ${bus}`)
  await until('the nodes of the cluster', () =>
    all(servers, async (server) => (await info(server)).cluster_known_nodes === String(servers.length)),
  )
  const ids = await Promise.all(masters.map((server) => nodeId(server)))
  await until('the replicas of the cluster', () =>
    all(servers.slice(MASTERS), async (server, index) => {
      // Refused until the gossip has told this node of its master.
      await server.ask(`CLUSTER REPLICATE ${ids[index]}`)
      return (await server.ask('INFO replication')).includes('master_link_status:up')
    }),
  )
  await until('the cluster', () => all(servers, async (server) => (await info(server)).cluster_state === 'ok'))

  /** Asks every node that answers, and takes the newest view. */
  async function masterOf(slot: number): Promise<TestRedis> {
    const views = await Promise.all(servers.map(async (server) => server.ask('CLUSTER NODES').catch(() => '')))
    const newest = views.flatMap((view) => ownersOf(view, slot)).toSorted((a, b) => b.epoch - a.epoch)[0]
    return servers.find(({ port }) => port === newest?.port)!
  }

  return {
    nodes: servers.map(({ host, port }) => ({ host, port })),
    servers,
    masterOf,
    async failedOver(slot, from) {
      await until('a failover in the cluster', async () => {
        const next = await masterOf(slot)
        return next.port !== from.port && (await next.ask('ROLE')).includes('master')
      })
      return masterOf(slot)
    },
    async stop() {
      await Promise.all(servers.map((server) => server.stop()))
    },
  }
}

const firstSlot = (index: number) => Math.floor((index * SLOTS) / MASTERS)

/** The bus has a port of its own: by default 10,000 above, which may be beyond the last. */
async function startNode(password: string | undefined, args: readonly string[]): Promise<TestRedis & { bus: number }> {
  let bus = 0
  const listen = async (port: number) => {
    bus = await freePort()
    return ['--port', String(port), '--cluster-port', String(bus)]
  }
  const options = { persist: true, args: [...SETTINGS, ...args], ...(password !== undefined && { password }) }
  const server = await startServer(options, listen)
  return Object.assign(Object.create(server) as TestRedis, { bus })
}

async function all<T>(list: readonly T[], holds: (item: T, index: number) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(list.map(holds))).every(Boolean)
}

async function info(server: TestRedis): Promise<Record<string, string>> {
  const reply = await server.ask('CLUSTER INFO')
  return Object.fromEntries(Array.from(reply.matchAll(/(\w+):(\S+)/g), ([, name, text]) => [name!, text!]))
}

async function nodeId(server: TestRedis): Promise<string> {
  return /[0-9a-f]{40}/.exec(await server.ask('CLUSTER MYID'))![0]
}

/** Masters that a view of CLUSTER NODES says to serve a slot, dead ones left out. */
function ownersOf(view: string, slot: number): { port: number; epoch: number }[] {
  return view.split('\n').flatMap((line) => {
    const [, address = '', flags = '', , , , epoch, , ...ranges] = line.trim().split(' ')
    if (!flags.includes('master') || /\bfail\b/.test(flags)) return []
    const serves = ranges
      .map((range) => range.split('-').map(Number))
      .some(([from = 0, to = from]) => slot >= from && slot <= to)
    return serves ? [{ port: Number(/:(\d+)@/.exec(address)?.[1]), epoch: Number(epoch) }] : []
  })
}
