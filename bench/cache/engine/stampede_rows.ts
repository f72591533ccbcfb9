import { startRedis } from '@tailwater/redis/testing'
import type { BenchOptions } from '../../harness/bench.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { SideProcess } from '../../harness/side_process.ts'
import type { EngineKind } from './engine.ts'
import type { StampedePlan, StampedeRound } from './engine_plan.ts'
import { peerEngines } from './engines.ts'
import { tailwaterEngine } from './tailwater_engine.ts'

const SIDE = 'bench/cache/engine/engine_side.ts'
const CALLERS = 1_000
const LOAD_MS = 100
const ROUNDS = 5

type Side = SideProcess<StampedePlan | 'close', StampedeRound | undefined>

/** Measures `cache stampede`: how often one cold key is loaded that a thousand ask for at once, in one process and in four. */
export async function measureStampede(options: BenchOptions): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const processes of [1, 4])
    for (const peer of peerEngines) rows.push(...(await measure(processes, peer, options)))
  return rows
}

async function measure(processes: number, peer: EngineKind, { rounds, say }: BenchOptions): Promise<Measured[]> {
  const servers = await Promise.all([startRedis(), startRedis()])
  const start = ({ name }: EngineKind) => Array.from({ length: processes }, (): Side => new SideProcess(SIDE, [name]))
  const sides = { ours: start(tailwaterEngine), theirs: start(peer) }
  let key = 0
  const round = (side: 'ours' | 'theirs') => () =>
    stampede(
      sides[side],
      { key: key++, callers: CALLERS / processes, loadMs: LOAD_MS },
      servers[side === 'ours' ? 0 : 1]!.url,
    )
  try {
    // Connects, and compiles.
    await round('ours')()
    await round('theirs')()
    const pairs = await runPairs(
      rounds ?? ROUNDS,
      { ours: round('ours'), theirs: round('theirs') },
      (done, { ours, theirs }) =>
        say(`stampede in ${processes}, pair ${done}: ${sayRound(ours)}; ${peer.name} ${sayRound(theirs)}`),
    )
    await Promise.all([...sides.ours, ...sides.theirs].map((side) => side.run('close')))
    return rowsOf(processes, peer, pairs)
  } finally {
    for (const side of [...sides.ours, ...sides.theirs]) side.close()
    await Promise.all(servers.map((server) => server.stop()))
  }
}

/** All processes at once: loads in all, and the time of the slowest. */
async function stampede(
  sides: readonly Side[],
  plan: StampedePlan['stampede'],
  redisUrl: string,
): Promise<StampedeRound> {
  const rounds = await Promise.all(sides.map((side) => side.run({ stampede: plan, redisUrl })))
  return {
    loads: rounds.reduce((total, round) => total + round!.loads, 0),
    ms: Math.max(...rounds.map((round) => round!.ms)),
  }
}

function rowsOf(
  processes: number,
  peer: EngineKind,
  pairs: { ours: StampedeRound[]; theirs: StampedeRound[] },
): Measured[] {
  const where = processes === 1 ? '1 process' : `${processes} processes`
  const common = {
    row: 'cache stampede',
    peer: peer.name,
    better: 'lower' as const,
    settings: { ours: tailwaterEngine.settings.redis, theirs: peer.settings.redis },
    checked: `a new key each round; ${CALLERS} callers in all, each given its product`,
  }
  const variant = `one cold key, ${CALLERS} callers in ${where}, load of ${LOAD_MS} ms`
  const row = (metric: string, unit: string, figure: (round: StampedeRound) => number) => ({
    ...common,
    metric: `${variant}; ${metric}`,
    unit,
    ours: pairs.ours.map(figure),
    theirs: pairs.theirs.map(figure),
  })
  return [
    { row: row('loads', 'loads', (round) => round.loads), target: { kind: 'level', atMost: 1 } },
    { row: row('until all are answered', 'ms', (round) => round.ms) },
  ]
}

function sayRound({ loads, ms }: StampedeRound): string {
  return `${loads} loads, ${ms.toFixed(0)} ms`
}
