import type { Bench, BenchOptions } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import type { Measured } from '../harness/row.ts'
import { quantile } from '../harness/statistics.ts'
import { openBenchDatabase } from '../merchant/bench_database.ts'
import { startOurs } from '../merchant/our_server.ts'
import { fillShelf, readShelf, type Shelved } from './shelf.ts'
import { openStalls, type StallState, type Stalls, slugs } from './stalls.ts'

const ROUNDS = 3
/** Orders a second over the four marketplaces, at fixed moments whatever becomes of those before. */
const PER_SECOND = 4
const LATENCY = 100
const LIMIT_MS = 2_000
/** Milliseconds that an order may take at all. */
const PATIENCE = 60_000

/** `bench marketplace`: from an order on one of four marketplaces until all four show what is left. */
export const marketplaceBench: Bench = {
  name: 'marketplace',
  async run(options) {
    const database = await openBenchDatabase(options.size, options.say)
    const stalls = await openStalls(database.dataDir, LATENCY)
    try {
      const amqp = process.env['AMQP_URL']
      const settings = { MARKETPLACES: stalls.file, CACHE: 'on', ...(amqp && { AMQP_URL: amqp }) }
      const ours = await startOurs(database, { settings })
      const row = await measure(ours.port, database.url, stalls, options).finally(() => ours.kill())
      const versions = {
        node: process.versions.node,
        postgresql: database.version,
        ...packageVersions(['tailwater'], '.'),
      }
      return { rows: [row], versions }
    } finally {
      await stalls.stop()
      await database.stop()
    }
  },
}

async function measure(port: number, url: string, stalls: Stalls, options: BenchOptions): Promise<Measured> {
  const rounds = options.rounds ?? ROUNDS
  const count = options.quick ? 20 : 100
  const shelf = await readShelf(url, rounds * count)
  if (shelf.length < rounds * count) throw new Error(`only ${shelf.length} products have stock`)
  options.say(`Listing ${shelf.length} products on ${slugs.length} marketplaces …`)
  await fillShelf(shelf, port, () => shownOf(stalls, shelf), slugs.length)
  await stalls.tell(port)
  const p99: number[] = []
  for (let round = 0; round < rounds; round++) {
    const lags = await sell(stalls, shelf.slice(round * count, (round + 1) * count))
    const sorted = Float64Array.from(lags).sort()
    p99.push(quantile(sorted, 0.99))
    options.say(
      `round ${round + 1}: p50 ${quantile(sorted, 0.5).toFixed(0)} ms, p99 ${p99.at(-1)!.toFixed(0)} ms, most ${sorted.at(-1)!.toFixed(0)} ms`,
    )
  }
  return rowOf(p99, count)
}

async function shownOf(stalls: Stalls, shelf: readonly Shelved[]): Promise<number> {
  const states = await Promise.all(slugs.map((slug) => stalls.state(slug)))
  const skus = new Set(shelf.map(({ sku }) => sku))
  return states.reduce((sum, { listings }) => sum + listings.filter(({ sku }) => skus.has(sku)).length, 0)
}

/** Sells one piece of each product, and gives how long each took to be known everywhere: to the marketplaces' own clock, which is one. */
async function sell(stalls: Stalls, shelf: readonly Shelved[]): Promise<number[]> {
  const before = (await stalls.state(slugs[0]!)).listings
  const startedAt = performance.now()
  const bought = shelf.map(async ({ sku }, at) => {
    const due = startedAt + (at * 1_000) / PER_SECOND - performance.now()
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, due)))
    return { sku, slug: slugs[at % slugs.length]!, order: await stalls.buy(slugs[at % slugs.length]!, sku) }
  })
  const orders = await Promise.all(bought)
  const left = new Map(before.map(({ sku, quantity }) => [sku, quantity - 1]))
  const states = await settled(stalls, (all) =>
    orders.every(({ sku, slug, order }) =>
      [...all].every(
        ([name, state]) =>
          state.toldAt[sku]! > order.placedAt &&
          state.listings.find((listing) => listing.sku === sku)!.quantity === left.get(sku) &&
          (name !== slug || state.orders.find(({ id }) => id === order.id)!.status === 'confirmed'),
      ),
    ),
  )
  return orders.map(
    ({ sku, order }) => Math.max(...[...states.values()].map(({ toldAt }) => toldAt[sku]!)) - order.placedAt,
  )
}

async function settled(
  stalls: Stalls,
  isDone: (states: Map<string, StallState>) => boolean,
): Promise<Map<string, StallState>> {
  const giveUp = performance.now() + PATIENCE
  for (;;) {
    const read = slugs.map(async (slug) => [slug, await stalls.state(slug)] as const)
    const states = new Map(await Promise.all(read))
    if (isDone(states)) return states
    if (performance.now() > giveUp) throw new Error('not every order has become known everywhere')
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

function rowOf(p99: number[], count: number): Measured {
  return {
    row: {
      row: 'marketplace stock follows',
      peer: 'nobody',
      metric: `p99 of ${count} orders a round, ${PER_SECOND}/s over four marketplaces that take ${LATENCY} ms to answer: from an order there until all four were told what is left`,
      unit: 'ms',
      better: 'lower',
      ours: p99,
      theirs: null,
      settings: { ours: 'NODE_ENV=production, CACHE=on, jobs and messages on PostgreSQL, one process', theirs: '' },
      checked: 'every order was confirmed on its marketplace, and all four showed one piece less of each product',
    },
    target: { kind: 'level', atMost: LIMIT_MS },
  }
}
