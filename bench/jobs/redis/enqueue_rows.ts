import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { openBullQueue } from './bull_queue.ts'
import { openOurQueue } from './our_queue.ts'
import { onQueue, type RedisStage, SETTINGS, sized } from './redis_stage.ts'

const ROUNDS = 5
const CALLERS = 100
const BULK = 500
const SINGLES = 30_000
const BULK_JOBS = 100_000

/** Measures `jobs enqueue-redis`. */
export async function measureEnqueue(stage: RedisStage): Promise<Measured[]> {
  const singles = sized(stage, SINGLES)
  const bulk = sized(stage, BULK_JOBS)
  return [
    await measureOne(stage, `${CALLERS} concurrent single calls`, (queue) => queue.enqueueSingly(singles, CALLERS)),
    await measureOne(stage, `bulk of ${BULK}`, (queue) => queue.enqueueInBulk(bulk, BULK)),
  ]
}

interface Enqueueing {
  enqueueSingly(count: number, callers: number): Promise<number>
  enqueueInBulk(count: number, size: number): Promise<number>
}

async function measureOne(
  stage: RedisStage,
  metric: string,
  measure: (queue: Enqueueing) => Promise<number>,
): Promise<Measured> {
  const { server, bull, options } = stage
  const round = (open: () => Promise<Enqueueing & { close(): Promise<void> }>) => () => onQueue(stage, open, measure)
  const sides = { ours: round(() => openOurQueue(server)), theirs: round(() => openBullQueue(bull, server)) }
  // What is compiled in a first round is not measured.
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(options.rounds ?? ROUNDS, sides, (done, pair) =>
    options.say(`${metric}, pair ${done}: ${formatNumber(pair.ours)}, ${formatNumber(pair.theirs)} jobs/s`),
  )
  return {
    row: {
      row: 'jobs enqueue-redis',
      peer: 'BullMQ',
      metric: `jobs/s, ${metric}`,
      unit: 'jobs/s',
      better: 'higher',
      ours,
      theirs,
      settings: SETTINGS,
      checked: 'number of jobs waiting at the end of each round',
    },
    target: { kind: 'ratio', atLeast: 5 },
  }
}
