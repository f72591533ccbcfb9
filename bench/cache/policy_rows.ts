import type { BenchOptions } from '../harness/bench.ts'
import type { Measured } from '../harness/row.ts'
import { Arc } from './policies/arc.ts'
import type { CreateSimulated } from './policies/simulated_cache.ts'
import { TierSimulation } from './policies/tier_simulation.ts'
import { WTinyLfu } from './policies/w_tiny_lfu.ts'
import { readTraces, TRACES, TRACES_VARIABLE, type Trace } from './trace.ts'

/** Sizes of the cache as shares of the keys. */
const SIZES = [0.005, 0.02, 0.1, 0.25]
const QUICK_REQUESTS = 200_000

const ours: CreateSimulated = (capacity, keys) => new TierSimulation('s3-fifo', capacity, keys)

const peers: Record<string, { create: CreateSimulated; settings: string }> = {
  LRU: {
    create: (capacity, keys) => new TierSimulation('lru', capacity, keys),
    settings: 'the near tier with its policy lru',
  },
  SIEVE: {
    create: (capacity, keys) => new TierSimulation('sieve', capacity, keys),
    settings: 'the near tier with its policy sieve',
  },
  ARC: { create: (capacity, keys) => new Arc(capacity, keys), settings: 'as in figure 4 of the paper of FAST 2003' },
  'W-TinyLFU': {
    create: (capacity, keys) => new WTinyLfu(capacity, keys),
    settings: 'window of 1 % to begin with, moved by a climber; constants of Caffeine 3',
  },
}

/** Measures `cache policy`: hit ratios on recorded requests, if there are any. */
export async function measurePolicy({ quick, say }: BenchOptions): Promise<Measured[]> {
  const folder = process.env[TRACES_VARIABLE]
  if (folder === undefined) {
    say(`Without ${TRACES_VARIABLE} there are no traces: the row \`cache policy\` is left out`)
    return []
  }
  const traces = readTraces(folder).map((trace) => (quick ? shortened(trace) : trace))
  await checkAgainstLruCache(traces[0]!)
  say('S3-FIFO over the traces …')
  const own = hitRatios(ours, traces)
  return Object.entries(peers).map(([peer, { create, settings }]) => {
    say(`${peer} over the traces …`)
    return rowOf(peer, settings, own, hitRatios(create, traces))
  })
}

function rowOf(peer: string, settings: string, own: number[], theirs: number[]): Measured {
  const row = {
    row: 'cache policy',
    peer,
    metric: `hit ratio with room for ${SIZES.map((size) => size * 100).join(', ')} % of the keys of ${TRACES.join(', ')}`,
    unit: 'points',
    better: 'higher' as const,
    ours: own,
    theirs,
    settings: { ours: 'the near tier with its default, S3-FIFO', theirs: settings },
    checked:
      'a figure for each trace and size; no cache held more than its size; on web07 LRU has the hits that lru-cache has',
  }
  return peer === 'LRU' ? { row, target: { kind: 'lead', mean: 2, worst: -1.5 } } : { row, isLead: true }
}

/** Percent, by trace and then by size. */
function hitRatios(create: CreateSimulated, traces: readonly Trace[]): number[] {
  return traces.flatMap((trace) => SIZES.map((size) => (100 * hitsOf(create, trace, size)) / trace.keys.length))
}

/** @throws when the cache holds more than it may */
function hitsOf(create: CreateSimulated, { keys, unique, name }: Trace, size: number): number {
  const capacity = Math.round(unique * size)
  const cache = create(capacity, unique)
  let hits = 0
  for (const key of keys) if (cache.request(key)) hits++
  if (cache.size > capacity) throw new Error(`a cache for ${capacity} keys of ${name} holds ${cache.size}`)
  return hits
}

/** @throws when the near tier's LRU and lru-cache do not have the same hits */
async function checkAgainstLruCache(trace: Trace): Promise<void> {
  const { LRUCache } = await import('lru-cache')
  for (const size of SIZES) {
    const cache = new LRUCache<number, number>({ max: Math.round(trace.unique * size) })
    let hits = 0
    for (const key of trace.keys)
      if (cache.get(key) === undefined) cache.set(key, key)
      else hits++
    const own = hitsOf(peers['LRU']!.create, trace, size)
    if (own !== hits) throw new Error(`LRU has ${own} hits on ${trace.name}, lru-cache ${hits}`)
  }
}

function shortened(trace: Trace): Trace {
  return { ...trace, keys: trace.keys.subarray(0, QUICK_REQUESTS) }
}
