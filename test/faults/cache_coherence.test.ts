import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { sleep, systemClock } from '@tailwater/core'
import { startRedis, startRedisCluster, type TestRedis } from '@tailwater/redis/testing'
import { CacheHistory } from './cache_history.ts'
import type { NodeConfig } from './cache_node.ts'
import { type CacheNode, startCacheNode } from './cache_nodes.ts'
import { record, seeds } from './journal.ts'
import { randomIntegers } from './random.ts'

const NODES = 4
const KEYS = Array.from({ length: 40 }, (_, index) => `k${index}`)
/** Readers and writers at once. */
const LANES = 12
/** Seconds of each seed. */
const SECONDS = process.env['TAILWATER_TEST_ALL_SEEDS'] ? 45 : 15

/** Milliseconds after which a confirmed invalidation must have reached every read, by the fault row. */
const HEARD = 2_000
const SILENT = 10_000

const MUST_HOLD =
  'No read returns a value older than the last invalidation confirmed 2 s before it began (10 s with the bus down), loads in flight included.'

/** What a run is made of. */
interface Scene {
  fault: string
  config: NodeConfig
  bound: number
  /** Something bad, now and then; resolves when it is over. */
  strike(nodes: readonly CacheNode[], random: (low: number, high: number) => number): Promise<string>
}

async function play(scene: Scene, seed: number): Promise<void> {
  const random = randomIntegers(seed)
  const history = new CacheHistory()
  // A source that takes its time: what it read may be old before it is handed over.
  const load = async (key: string) => {
    const version = history.version(key)
    await sleep(systemClock, random(0, 9) === 0 ? random(200, 1_500) : random(1, 20))
    return version
  }
  const nodes = await Promise.all(Array.from({ length: NODES }, () => startCacheNode(scene.config, load)))
  after(() => Promise.all(nodes.map((node) => node.end())))
  const struck = new Map<string, number>()
  const end = systemClock.elapsed() + SECONDS * 1_000
  const isOver = () => systemClock.elapsed() >= end

  async function lane(): Promise<void> {
    while (!isOver()) {
      const node = nodes[random(0, NODES - 1)]!
      if (node.isFrozen) await sleep(systemClock, 5)
      else if (random(1, 100) <= 15) await write(node)
      else await read(node)
    }
  }

  async function read(node: CacheNode): Promise<void> {
    const key = KEYS[random(0, KEYS.length - 1)]!
    const startedAt = systemClock.elapsed()
    // A process that was frozen has been cut off from the bus.
    const bound = startedAt - node.since < HEARD ? SILENT : scene.bound
    const answer = await node.ask({ read: key })
    if (answer) history.judge(key, answer.value!, startedAt, bound)
  }

  async function write(node: CacheNode): Promise<void> {
    const key = KEYS[random(0, KEYS.length - 1)]!
    history.write(key)
    const isTag = random(0, 2) === 0
    const group = KEYS.filter((other) => other.at(-1) === key.at(-1))
    const versions = history.snapshot(isTag ? group : [key])
    const answer = await node.ask({ invalidate: isTag ? { tags: [`group-${key.at(-1)}`] } : { keys: [key] } })
    if (answer) history.confirm(versions)
  }

  async function misfortune(): Promise<void> {
    while (!isOver()) {
      await sleep(systemClock, random(300, 1_500))
      const what = await scene.strike(nodes, random)
      struck.set(what, (struck.get(what) ?? 0) + 1)
    }
  }

  await Promise.all([misfortune(), ...Array.from({ length: LANES }, lane)])
  const { reads, writes, stale, worst } = history
  record({
    fault: scene.fault,
    seed,
    mustHold: MUST_HOLD,
    figures: {
      seconds: SECONDS,
      reads,
      writes,
      stale: stale.length,
      'worst ms': Math.round(worst),
      ...Object.fromEntries(struck),
    },
  })
  assert.deepEqual(stale.slice(0, 5), [])
  assert.ok(reads > SECONDS * 10, `only ${reads} reads`)
}

async function freezeNode(nodes: readonly CacheNode[], random: (low: number, high: number) => number): Promise<string> {
  const node = nodes[random(0, NODES - 1)]!
  node.freeze()
  await sleep(systemClock, random(300, 3_000))
  node.thaw()
  return 'nodes frozen'
}

async function crashNode(nodes: readonly CacheNode[], random: (low: number, high: number) => number): Promise<string> {
  await nodes[random(0, NODES - 1)]!.crash()
  return 'nodes killed'
}

async function killSubscribers(server: TestRedis): Promise<string> {
  await server.ask('CLIENT KILL TYPE pubsub')
  return 'subscribers killed'
}

for (const seed of seeds([20261125, 11, 42]))
  it(`four processes stay coherent on one Redis through kills, freezes and lost subscriptions (seed ${seed})`, async () => {
    const server = await startRedis()
    after(() => server.stop())
    const place = { url: server.url }
    await play(
      {
        fault: 'cache on one Redis: subscribers, processes and connections lost',
        config: { far: place, bus: place },
        bound: HEARD,
        async strike(nodes, random) {
          const dice = random(1, 10)
          if (dice <= 5) return killSubscribers(server)
          if (dice <= 7) return crashNode(nodes, random)
          if (dice <= 9) return freezeNode(nodes, random)
          await server.ask('CLIENT PAUSE 300 ALL')
          return 'pauses'
        },
      },
      seed,
    )
  })

for (const seed of seeds([20261125, 5]))
  it(`four processes bound their staleness while the bus is down (seed ${seed})`, async () => {
    const far = await startRedis()
    const bus = await startRedis()
    after(() => Promise.all([far.stop(), bus.stop()]))
    await play(
      {
        fault: 'cache with its bus down',
        config: { far: { url: far.url }, bus: { url: bus.url } },
        bound: SILENT,
        async strike(_nodes, random) {
          if (random(0, 1) === 0) {
            bus.freeze()
            await sleep(systemClock, random(2_000, 8_000))
            bus.thaw()
            return 'bus frozen'
          }
          await bus.restart()
          return 'bus killed'
        },
      },
      seed,
    )
  })

for (const seed of seeds([20261125, 17]))
  it(`four processes stay coherent on a cluster of six through failovers (seed ${seed})`, async () => {
    const cluster = await startRedisCluster()
    after(() => cluster.stop())
    const place = { cluster: { nodes: cluster.nodes } }
    await play(
      {
        fault: 'cache on a cluster of six: failovers asked for, subscribers lost',
        config: { far: place, bus: place },
        bound: SILENT,
        async strike(nodes, random) {
          const dice = random(1, 3)
          if (dice === 1) return crashNode(nodes, random)
          if (dice === 2) {
            for (const server of cluster.servers) await killSubscribers(server)
            return 'subscribers killed'
          }
          const replicas = []
          for (const server of cluster.servers) if ((await server.ask('ROLE')).includes('slave')) replicas.push(server)
          await replicas[random(0, replicas.length - 1)]?.ask('CLUSTER FAILOVER')
          return 'failovers'
        },
      },
      seed,
    )
  })
