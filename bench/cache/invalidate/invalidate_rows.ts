import { startTestPostgres } from '@tailwater/postgres/testing'
import { startRedis } from '@tailwater/redis/testing'
import type { BenchOptions } from '../../harness/bench.ts'
import { formatNumber } from '../../harness/report.ts'
import type { Measured } from '../../harness/row.ts'
import { SideProcess } from '../../harness/side_process.ts'
import type { ListenerPlan } from './invalidate_side.ts'
import { articleKey, createArticles, openShop, type Shop, type ShopPlaces } from './shop.ts'

const SIDE = 'bench/cache/invalidate/invalidate_side.ts'
/** Processes that hear, beside the one that writes. */
const LISTENERS = 2
/** Transactions of a round, each of which changes a row and invalidates its key; and how many are open at a time. */
const WRITES = 8_000
const QUICK_WRITES = 1_000
const CALLERS = 100
const ROUNDS = 5
const TARGET = 2_000

type Listener = SideProcess<ListenerPlan, number>

/** Measures `cache invalidate`: transactions that invalidate with their commit, until every process has heard of the last. */
export async function measureInvalidate(options: BenchOptions): Promise<Measured[]> {
  return [await measure('memory alone', options), await measure('Redis', options)]
}

async function measure(far: 'memory alone' | 'Redis', { rounds, quick, say }: BenchOptions): Promise<Measured> {
  const server = await startTestPostgres()
  const redis = far === 'Redis' ? await startRedis() : undefined
  const listeners = Array.from({ length: LISTENERS }, (): Listener => new SideProcess(SIDE))
  const writes = quick ? QUICK_WRITES : WRITES
  const places: ShopPlaces = { databaseUrl: server.url, redisUrl: redis?.url }
  await createArticles(places.databaseUrl, writes)
  const shop = await openShop(places)
  try {
    for (const listener of listeners) await listener.run({ open: places })
    const ours: number[] = []
    await round(shop, listeners, { from: 0, count: writes })
    for (let done = 1; done <= (rounds ?? ROUNDS); done++) {
      ours.push(await round(shop, listeners, { from: 0, count: writes }))
      say(`invalidate, ${far}, round ${done}: ${formatNumber(ours.at(-1)!)} transactions/s`)
    }
    for (const listener of listeners) await listener.run('close')
    return rowOf(far, ours)
  } finally {
    await shop.close()
    for (const listener of listeners) listener.close()
    await redis?.stop()
    await server.close()
  }
}

/** @returns transactions by the second, until the last process has heard of all */
async function round(
  { database, cache }: Shop,
  listeners: readonly Listener[],
  range: { from: number; count: number },
): Promise<number> {
  for (const listener of listeners) {
    const kept = await listener.run({ keep: range })
    if (kept !== range.count) throw new Error(`${kept} of ${range.count} articles are in memory`)
  }
  const before = performance.now()
  const heard = listeners.map((listener) => listener.run({ forgotten: range }))
  let next = range.from
  const caller = async () => {
    for (let id = next++; id < range.from + range.count; id = next++)
      await database.transaction(async (tx) => {
        await tx.query('UPDATE article SET price = price + 1 WHERE id = $1', [id])
        await cache.invalidate({ keys: [articleKey(id)] }, { tx })
      })
  }
  await Promise.all(Array.from({ length: CALLERS }, caller))
  await Promise.all(heard)
  return range.count / ((performance.now() - before) / 1_000)
}

function rowOf(far: string, ours: number[]): Measured {
  return {
    row: {
      row: 'cache invalidate',
      peer: 'none',
      metric: `transactions that change a row and invalidate its key with their commit, values in ${far}, ${LISTENERS} more processes; until all have heard of the last`,
      unit: '/s',
      better: 'higher',
      ours,
      theirs: null,
      settings: {
        ours: `createCache with createPostgresBus and createOutbox${far === 'Redis' ? ' and createRedisBackend' : ''}; ${CALLERS} transactions at a time, pool of 12, fsync on`,
        theirs: 'none',
      },
      checked: 'every process had every key in memory before the round, and none after it',
    },
    target: { kind: 'count', atLeast: TARGET },
  }
}
