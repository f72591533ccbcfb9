import type { BenchOptions } from '../../harness/bench.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured, Target } from '../../harness/row.ts'
import { SideProcess } from '../../harness/side_process.ts'
import { lruCacheSubjects } from './lru_cache_subject.ts'
import { ENTRIES, type NearPlan, type NearRound, works } from './near_plan.ts'
import { nearTierSubject } from './near_tier_subject.ts'
import type { CreateSubject } from './subject.ts'

const SIDE = 'bench/cache/near/near_side.ts'
const REQUESTS = 2_000_000
const QUICK_REQUESTS = 200_000
/** The targets are near 1. */
const ROUNDS = 9

const targets: Record<NearPlan['work'], Target> = {
  mixed: { kind: 'ratio', atLeast: 0.8 },
  hits: { kind: 'ratio', atLeast: 1 },
}

/** Measures `cache near-mixed`. */
export async function measureNearMixed(options: BenchOptions): Promise<Measured[]> {
  const requests = options.quick ? QUICK_REQUESTS : REQUESTS
  const rows: Measured[] = []
  for (const peer of await lruCacheSubjects()) {
    for (const work of ['mixed', 'hits'] as const)
      for (const isKeyBuilt of [true, false])
        rows.push(...(await measure({ work, isKeyBuilt, requests }, peer, options)))
    rows.push(await measureMemory(peer))
  }
  return rows
}

async function measure(plan: NearPlan, peer: CreateSubject, { rounds, say }: BenchOptions): Promise<Measured[]> {
  const variant = `${works[plan.work].name}, ${plan.isKeyBuilt ? 'keys built for each request' : 'keys at hand'}`
  const ours = new SideProcess<NearPlan, NearRound>(SIDE, [nearTierSubject.name])
  const theirs = new SideProcess<NearPlan, NearRound>(SIDE, [peer.name])
  try {
    // Twice: to fill them, and to have them compiled for a full one.
    for (const side of [ours, theirs, ours, theirs]) await side.run(plan)
    const pairs = await runPairs(
      rounds ?? ROUNDS,
      { ours: () => ours.run(plan), theirs: () => theirs.run(plan) },
      (done, outcome) =>
        say(`${variant}, pair ${done}: ${sayRound(outcome.ours)}; ${peer.name} ${sayRound(outcome.theirs)}`),
    )
    return rowsOf(variant, plan, peer, pairs)
  } finally {
    ours.close()
    theirs.close()
  }
}

function rowsOf(
  variant: string,
  plan: NearPlan,
  peer: CreateSubject,
  pairs: { ours: NearRound[]; theirs: NearRound[] },
): Measured[] {
  const common = {
    row: 'cache near-mixed',
    peer: peer.name,
    better: 'higher' as const,
    settings: { ours: nearTierSubject.settings, theirs: peer.settings },
    checked: `each value is its key's; neither held more than ${ENTRIES} entries; ours had ${percent(pairs.ours)} hits, theirs ${percent(pairs.theirs)}`,
  }
  const row = (metric: string, unit: string, figure: (round: NearRound) => number) => ({
    ...common,
    metric,
    unit,
    ours: pairs.ours.map(figure),
    theirs: pairs.theirs.map(figure),
  })
  return [
    { row: row(`${variant}; requests/s`, '/s', (round) => round.perSecond), target: targets[plan.work] },
    { row: row(`${variant}; requests by the CPU-second`, '/CPU-s', (round) => round.perCpuSecond) },
  ]
}

async function measureMemory(peer: CreateSubject): Promise<Measured> {
  const [ours, theirs] = await Promise.all([nearTierSubject, peer].map(({ name }) => memoryOf(name)))
  return {
    row: {
      row: 'cache near-mixed',
      peer: peer.name,
      metric: 'memory of an entry beside its key and value',
      unit: 'bytes',
      better: 'lower',
      ours: [ours!],
      theirs: [theirs!],
      settings: { ours: nearTierSubject.settings, theirs: peer.settings },
      checked:
        'heap and typed arrays after a collection, full with 100,000 entries less empty; ours has the record of each entry with all that a near hit must know',
    },
  }
}

async function memoryOf(name: string): Promise<number> {
  const side = new SideProcess<'memory', number>(SIDE, [name])
  try {
    return await side.run('memory')
  } finally {
    side.close()
  }
}

function sayRound({ perSecond, hitShare }: NearRound): string {
  return `${(perSecond / 1e6).toFixed(2)} M/s (${(100 * hitShare).toFixed(1)} % hits)`
}

function percent(rounds: readonly NearRound[]): string {
  return `${(100 * rounds.at(-1)!.hitShare).toFixed(1)} %`
}
