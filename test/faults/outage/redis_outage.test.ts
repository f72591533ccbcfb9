import assert from 'node:assert/strict'
import { after, it } from 'node:test'
import { sleep, systemClock } from '@tailwater/core'
import type { RedisOptions } from '@tailwater/redis'
import { startRedis, startRedisCluster, type TestCluster, type TestRedis } from '@tailwater/redis/testing'
import { record, seeds } from '../journal.ts'
import { randomIntegers } from '../random.ts'
import type { SlowRequest } from './outage_node.ts'
import { type OutageNode, startOutageNode } from './outage_nodes.ts'

const NODES = 2
const MUST_HOLD = 'No request slower than 250 ms for it, once; then the breaker answers; recovery without a restart.'
/** Milliseconds that no request may take. */
const LIMIT = 250
/** Milliseconds of a request that has waited for the far tier's time limit of 100 ms, or for the bus's, which is the same. */
const WAITED = 90
/** Milliseconds after which the breaker must be closed again: its longest pause, and a try. */
const PATIENCE = 30_000

type Random = (low: number, high: number) => number

/** Something that happens to Redis. */
interface Strike {
  name: string
  /** How often it may make requests wait: once, or once each time that it comes back. */
  waits: number
  run(random: Random): Promise<unknown>
}

interface Outage {
  name: string
  waits: number
  from: number
  to: number
}

const pause = (ms: number) => sleep(systemClock, ms)

/** Resolves when each node has read something from the far tier after it was called. */
async function recovered(nodes: readonly OutageNode[]): Promise<void> {
  const before = await Promise.all(nodes.map((node) => node.report()))
  const deadline = systemClock.elapsed() + PATIENCE
  for (;;) {
    const now = await Promise.all(nodes.map((node) => node.report()))
    if (now.every(({ state, farHits }, at) => state === 'closed' && farHits > before[at]!.farHits)) return
    assert.ok(systemClock.elapsed() < deadline, `no recovery: ${now.map(({ state }) => state).join(', ')}`)
    await pause(20)
  }
}

/** Times at which requests waited for the far tier: those that began together count as one. */
function momentsOf(slow: readonly SlowRequest[], { from, to }: Outage): number {
  let moments = 0
  let last = Number.NEGATIVE_INFINITY
  for (const { at } of slow
    .filter(({ at, ms }) => ms >= WAITED && at >= from - LIMIT && at <= to)
    .sort((a, b) => a.at - b.at)) {
    if (at - last > LIMIT) {
      moments++
      last = at
    }
  }
  return moments
}

async function play(fault: string, place: RedisOptions, strikes: readonly Strike[], seed: number): Promise<void> {
  const random = randomIntegers(seed)
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, at) => startOutageNode(place, seed + at)))
  after(() => Promise.all(nodes.map((node) => node.end())))
  await recovered(nodes)
  const outages: Outage[] = []
  let slowest = 0
  for (const { name, waits, run } of strikes) {
    const from = systemClock.now()
    await run(random)
    outages.push({ name, waits, from, to: systemClock.now() })
    const end = systemClock.elapsed()
    await recovered(nodes)
    slowest = Math.max(slowest, systemClock.elapsed() - end)
    // A breaker that closes tries less and less often while it is soon opened again; a new outage is not that.
    await pause(random(200, 800))
  }
  const reports = await Promise.all(nodes.map((node) => node.report()))
  const all = reports.flatMap(({ slow }) => slow)
  const worst = all.reduce((most, { ms }) => Math.max(most, ms), 0)
  const moments = outages.map((outage) => Math.max(...reports.map(({ slow }) => momentsOf(slow, outage))))
  record({
    fault,
    seed,
    mustHold: MUST_HOLD,
    figures: {
      requests: reports.reduce((sum, { requests }) => sum + requests, 0),
      'slowest ms': worst,
      'slowest recovery ms': Math.round(slowest),
      ...Object.fromEntries(outages.map(({ name }, at) => [`waits: ${name}`, moments[at]!])),
    },
  })
  assert.deepEqual(
    reports.flatMap(({ errors }) => errors),
    [],
  )
  assert.deepEqual(
    all.filter(({ ms }) => ms > LIMIT),
    [],
  )
  for (const [at, { name, waits }] of outages.entries())
    assert.ok(
      moments[at]! <= waits,
      `${name}: requests waited at ${moments[at]} times, and ${waits} are allowed: ${JSON.stringify(all.filter((one) => one.at >= outages[at]!.from && one.at <= outages[at]!.to).map((one) => ({ ...one, at: one.at - outages[at]!.from })))}`,
    )
}

const FLAPS = 5

function single(server: TestRedis): Strike[] {
  return [
    {
      name: 'frozen',
      waits: 1,
      async run(random) {
        server.freeze()
        await pause(random(1_500, 4_000))
        server.thaw()
      },
    },
    {
      name: 'killed',
      waits: 1,
      async run(random) {
        await server.kill()
        await pause(random(500, 3_000))
        await server.restart()
      },
    },
    {
      name: 'flapping',
      waits: FLAPS,
      async run(random) {
        for (let flap = 0; flap < FLAPS; flap++) {
          server.freeze()
          await pause(random(150, 700))
          server.thaw()
          await pause(random(150, 700))
        }
      },
    },
    { name: 'connections cut', waits: 1, run: () => server.ask('CLIENT KILL TYPE normal') },
    {
      name: 'paused',
      waits: 1,
      async run(random) {
        const ms = random(500, 2_000)
        await server.ask(`CLIENT PAUSE ${ms} ALL`)
        await pause(ms)
      },
    },
  ]
}

const SLOTS = 16_384

function clustered(cluster: TestCluster): Strike[] {
  /** A master that is away until another has its slots. */
  const without = async (
    random: Random,
    away: (master: TestRedis) => unknown,
    back: (master: TestRedis) => unknown,
  ) => {
    const slot = random(0, SLOTS - 1)
    const master = await cluster.masterOf(slot)
    await away(master)
    await cluster.failedOver(slot, master)
    await back(master)
  }
  return [
    {
      name: 'a master killed',
      waits: 1,
      run: (random) =>
        without(
          random,
          (master) => master.kill(),
          (master) => master.restart(),
        ),
    },
    {
      name: 'a master frozen',
      waits: 1,
      run: (random) =>
        without(
          random,
          (master) => master.freeze(),
          (master) => master.thaw(),
        ),
    },
    {
      name: 'connections cut',
      waits: 1,
      run: () => Promise.all(cluster.servers.map((server) => server.ask('CLIENT KILL TYPE normal'))),
    },
    {
      name: 'a master paused',
      waits: 1,
      async run(random) {
        const master = await cluster.masterOf(random(0, SLOTS - 1))
        await master.ask('CLIENT PAUSE 700 ALL')
        await pause(700)
      },
    },
  ]
}

for (const seed of seeds([20261127, 8, 31]))
  it(`a cache hardly notices that its Redis is frozen, killed, flapping and back again (seed ${seed})`, async () => {
    const server = await startRedis()
    after(() => server.stop())
    await play('cache: one Redis away and back', { url: server.url }, single(server), seed)
  })

for (const seed of seeds([20261127, 19]))
  it(`a cache hardly notices that masters of its Redis Cluster are killed and frozen (seed ${seed})`, async () => {
    const cluster = await startRedisCluster()
    after(() => cluster.stop())
    const place = { cluster: { nodes: cluster.nodes } }
    await play('cache: a Redis Cluster of six, masters away and back', place, clustered(cluster), seed)
  })
