import type { BenchOptions } from '../../harness/bench.ts'
import { formatNumber } from '../../harness/report.ts'
import { type Pairs, runPairs } from '../../harness/rounds.ts'
import type { Measured, Target } from '../../harness/row.ts'
import { SideProcess } from '../../harness/side_process.ts'
import type { EngineKind } from './engine.ts'
import type { EnginePlan, EngineRound } from './engine_plan.ts'
import { tailwaterEngine } from './tailwater_engine.ts'

const SIDE = 'bench/cache/engine/engine_side.ts'
/** Milliseconds of a round; twice as long before the first counted one. */
const DURATION = 1_500
const QUICK_DURATION = 300
const ROUNDS = 5
/** Where the target is 1. */
const CLOSE_ROUNDS = 9

/** A row against one peer. */
export interface EngineRow {
  row: string
  metric: string
  unit: string
  atLeast: number
  peer: EngineKind
  plan: Omit<EnginePlan, 'redisUrl' | 'duration'>
  /** Each side's own server. */
  redisUrls: { ours: string; theirs: string } | undefined
  checked: string
}

/** Measures a row: by the clock with its target, and by the CPU of the asking process. */
export async function measureEngines(row: EngineRow, { rounds, quick, say }: BenchOptions): Promise<Measured[]> {
  const duration = quick ? QUICK_DURATION : DURATION
  const isClose = row.atLeast <= 1
  const sides = { ours: new EngineSide(tailwaterEngine), theirs: new EngineSide(row.peer) }
  const round = (side: 'ours' | 'theirs', ms: number) => () =>
    sides[side].run({ ...row.plan, redisUrl: row.redisUrls?.[side], duration: ms })
  try {
    await round('ours', 2 * duration)()
    await round('theirs', 2 * duration)()
    const pairs = await runPairs(
      rounds ?? (isClose ? CLOSE_ROUNDS : ROUNDS),
      { ours: round('ours', duration), theirs: round('theirs', duration) },
      (done, { ours, theirs }) =>
        say(
          `${row.row}, pair ${done}: ${formatNumber(ours.perSecond)} ${row.unit}/s; ${row.peer.name} ${formatNumber(theirs.perSecond)}`,
        ),
    )
    await sides.ours.end()
    await sides.theirs.end()
    return rowsOf(row, pairs)
  } finally {
    sides.ours.kill()
    sides.theirs.kill()
  }
}

function rowsOf(row: EngineRow, pairs: Pairs<EngineRound>): Measured[] {
  const tier = row.redisUrls === undefined ? 'memory' : 'redis'
  const common = {
    row: row.row,
    peer: row.peer.name,
    better: 'higher' as const,
    settings: { ours: tailwaterEngine.settings[tier], theirs: row.peer.settings[tier] },
    checked: row.checked,
  }
  const figures = (figure: (round: EngineRound) => number) => ({
    ours: pairs.ours.map(figure),
    theirs: pairs.theirs.map(figure),
  })
  const target: Target = { kind: 'ratio', atLeast: row.atLeast }
  const byClock = {
    row: { ...common, metric: `${row.metric}; ${row.unit}/s`, unit: '/s', ...figures((round) => round.perSecond) },
    target,
  }
  const metric = `${row.metric}; ${row.unit} by the CPU-second of the asking process`
  const byCpu = { row: { ...common, metric, unit: '/CPU-s', ...figures((round) => round.perCpuSecond) } }
  return [byClock, byCpu]
}

/** A library in a process of its own. */
class EngineSide {
  readonly #process: SideProcess<EnginePlan | 'close', EngineRound | undefined>

  constructor({ name }: EngineKind) {
    this.#process = new SideProcess(SIDE, [name])
  }

  async run(plan: EnginePlan): Promise<EngineRound> {
    return (await this.#process.run(plan))!
  }

  async end(): Promise<void> {
    await this.#process.run('close')
  }

  kill(): void {
    this.#process.close()
  }
}
