import { startRedis } from '@tailwater/redis/testing'
import type { BenchOptions } from '../../harness/bench.ts'
import type { Measured } from '../../harness/row.ts'
import { bentocacheEngine } from './bentocache_engine.ts'
import type { EngineKind } from './engine.ts'
import { type EngineRow, measureEngines } from './engine_pairs.ts'
import { peerEngines } from './engines.ts'
import { ioredisEngine } from './ioredis_engine.ts'

const CALLERS = 200
/** Keys that fit into memory; and keys of which memory has room for so few that it never has the next one. */
const NEAR_KEYS = 1_000
const FAR_KEYS = 5_000
const FAR_NEAR_ENTRIES = 16
const BATCH = 100
const BATCH_CALLERS = 20

/** A row without the peer and its target. */
type Work = Omit<EngineRow, 'peer' | 'atLeast' | 'redisUrls'>

const nearHit: Work = {
  row: 'cache near-hit',
  metric: `get-or-set hit in memory, 1 kB, ${CALLERS} callers`,
  unit: 'calls',
  plan: { work: { kind: 'hit', keys: NEAR_KEYS }, nearEntries: 10_000, callers: CALLERS },
  checked: "each answer is its key's; no load in any round",
}
const farHit: Work = {
  row: 'cache far-hit',
  metric: `get-or-set hit in Redis, 1 kB, ${CALLERS} callers`,
  unit: 'calls',
  plan: { work: { kind: 'hit', keys: FAR_KEYS }, nearEntries: FAR_NEAR_ENTRIES, callers: CALLERS },
  checked: `${FAR_KEYS} keys in turn with room for ${FAR_NEAR_ENTRIES} in memory; each answer is its key's; no load in any round`,
}
const miss: Work = {
  row: 'cache miss',
  metric: `get-or-set of a new key, written to Redis, 1 kB, ${CALLERS} callers`,
  unit: 'calls',
  plan: { work: { kind: 'miss' }, nearEntries: 10_000, callers: CALLERS },
  checked:
    "one load a call; a round lasts until Redis has the last key; then a second instance finds a sample of 200 of the round's keys there",
}
const batch: Work = {
  row: 'cache batch',
  metric: `getMany of ${BATCH} from Redis, 1 kB each, ${BATCH_CALLERS} callers`,
  unit: 'batches',
  plan: {
    work: { kind: 'batch', keys: FAR_KEYS, size: BATCH },
    nearEntries: FAR_NEAR_ENTRIES,
    callers: BATCH_CALLERS,
  },
  checked: `${FAR_KEYS} keys in turn with room for ${FAR_NEAR_ENTRIES} in memory; all ${BATCH} values of each call are their keys'`,
}

/** Measures `cache near-hit`: in memory alone. */
export async function measureNearHit(options: BenchOptions): Promise<Measured[]> {
  return measureAll(
    nearHit,
    peerEngines.map((peer) => [peer, 10]),
    options,
  )
}

/** Measures `cache far-hit`, `cache miss` and `cache batch`, with a Redis server for each side. */
export async function measureFar(options: BenchOptions): Promise<Measured[]> {
  const peers = (atLeast: number) => peerEngines.map((peer): [EngineKind, number] => [peer, atLeast])
  return [
    ...(await measureAll(farHit, [...peers(3), [ioredisEngine, 1]], options)),
    ...(await measureAll(miss, peers(3), options)),
    ...(await measureAll(batch, [[bentocacheEngine, 4]], options)),
  ]
}

async function measureAll(
  work: Work,
  peers: readonly [EngineKind, number][],
  options: BenchOptions,
): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const [peer, atLeast] of peers) {
    const row = { ...work, peer, atLeast }
    if (work === nearHit) rows.push(...(await measureEngines({ ...row, redisUrls: undefined }, options)))
    else rows.push(...(await withServers((redisUrls) => measureEngines({ ...row, redisUrls }, options))))
  }
  return rows
}

async function withServers<T>(run: (urls: { ours: string; theirs: string }) => Promise<T>): Promise<T> {
  const servers = await Promise.all([startRedis(), startRedis()])
  try {
    return await run({ ours: servers[0].url, theirs: servers[1].url })
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
}
