import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { openBossQueue } from './boss_queue.ts'
import { openGraphileQueue } from './graphile_queue.ts'
import { openOurQueue } from './our_queue.ts'
import { type BenchQueue, type PostgresStage, SETTINGS, sized } from './postgres_stage.ts'

const ROUNDS = 5
const CALLERS = 100
const BULK = 2_000

const peers = {
  boss: { name: 'pg-boss', open: openBossQueue },
  graphile: { name: 'graphile-worker', open: openGraphileQueue },
}

/** One row: what is done in a round by ours and by the peer, which need a different number of jobs to take a second. */
interface Plan {
  row: string
  metric: string
  peer: keyof typeof peers
  atLeast: number
  ours(queue: BenchQueue): Promise<number>
  theirs(queue: BenchQueue): Promise<number>
}

const names = ['boss', 'graphile'] as const

/** Measures `jobs enqueue-pg`. */
export function measureEnqueue(stage: PostgresStage): Promise<Measured[]> {
  const count = (jobs: number) => sized(stage, jobs)
  return measurePlans(
    stage,
    names.flatMap((peer): Plan[] => [
      {
        row: 'jobs enqueue-pg',
        metric: `jobs/s, ${CALLERS} concurrent single calls`,
        peer,
        atLeast: 20,
        ours: (queue) => queue.enqueueSingly(count(40_000), CALLERS),
        theirs: (queue) => queue.enqueueSingly(count(2_000), CALLERS),
      },
      {
        row: 'jobs enqueue-pg',
        metric: `jobs/s, bulk of ${BULK}`,
        peer,
        atLeast: 1.2,
        ours: (queue) => queue.enqueueInBulk(count(60_000), BULK),
        theirs: (queue) => queue.enqueueInBulk(count(40_000), BULK),
      },
    ]),
  )
}

/** Measures `jobs process-pg`. */
export function measureProcess(stage: PostgresStage): Promise<Measured[]> {
  return measurePlans(
    stage,
    names.map((peer) => ({
      row: 'jobs process-pg',
      metric: 'jobs/s, handlers that do nothing, one worker process',
      peer,
      atLeast: 1.8,
      ours: (queue) => queue.process(sized(stage, 60_000)),
      theirs: (queue) => queue.process(sized(stage, 40_000)),
    })),
  )
}

async function measurePlans(stage: PostgresStage, plans: readonly Plan[]): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const plan of plans) rows.push(await measureOne(stage, plan))
  return rows
}

async function measureOne(stage: PostgresStage, plan: Plan): Promise<Measured> {
  const { name, open } = peers[plan.peer]
  const round = (openQueue: () => Promise<BenchQueue>, measure: Plan['ours']) => async () => {
    const queue = await openQueue()
    const rate = await measure(queue)
    await queue.close()
    await stage.database.query('CHECKPOINT')
    return rate
  }
  // As the peer does it: graphile-worker keeps nothing of what is completed.
  const keeps = plan.peer === 'boss'
  const sides = {
    ours: round(() => openOurQueue(stage, { keeps }), plan.ours),
    theirs: round(() => open(stage), plan.theirs),
  }
  // What is compiled in a first round is not measured.
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(stage.options.rounds ?? ROUNDS, sides, (done, pair) =>
    stage.options.say(
      `${plan.row} (${plan.metric}), ${name}, pair ${done}: ${formatNumber(pair.ours)}, ${formatNumber(pair.theirs)}`,
    ),
  )
  return {
    row: {
      row: plan.row,
      peer: name,
      metric: plan.metric,
      unit: 'jobs/s',
      better: 'higher',
      ours,
      theirs,
      settings: { ours: keeps ? SETTINGS.ours : SETTINGS.deleting, theirs: SETTINGS[plan.peer] },
      checked: 'number of jobs that wait at the end of each round',
    },
    target: { kind: 'ratio', atLeast: plan.atLeast },
  }
}
