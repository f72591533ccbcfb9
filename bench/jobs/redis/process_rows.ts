import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { openBullQueue } from './bull_queue.ts'
import { openOurQueue } from './our_queue.ts'
import { onQueue, type RedisStage, SETTINGS, sized } from './redis_stage.ts'

const ROUNDS = 5

/** Jobs of a round: a second or more of either side. */
const variants = [
  { concurrency: 1, ours: 8_000, theirs: 6_000, atLeast: 1.5 },
  { concurrency: 50, ours: 60_000, theirs: 12_000, atLeast: 5 },
  { concurrency: 200, ours: 60_000, theirs: 12_000, atLeast: 5 },
]

/** Measures `jobs process-redis`: handlers that do nothing, one worker process, a filled queue. */
export async function measureProcess(stage: RedisStage): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const variant of variants) rows.push(await measureOne(stage, variant))
  return rows
}

async function measureOne(stage: RedisStage, variant: (typeof variants)[number]): Promise<Measured> {
  const { server, bull, options } = stage
  const { concurrency, atLeast } = variant
  const sides = {
    ours: () =>
      onQueue(
        stage,
        () => openOurQueue(server),
        (queue) => queue.process(sized(stage, variant.ours), concurrency),
      ),
    theirs: () =>
      onQueue(
        stage,
        () => openBullQueue(bull, server),
        (queue) => queue.process(sized(stage, variant.theirs), concurrency),
      ),
  }
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(options.rounds ?? ROUNDS, sides, (done, pair) =>
    options.say(
      `concurrency ${concurrency}, pair ${done}: ${formatNumber(pair.ours)}, ${formatNumber(pair.theirs)} jobs/s`,
    ),
  )
  return {
    row: {
      row: 'jobs process-redis',
      peer: 'BullMQ',
      metric: `jobs/s, concurrency ${concurrency}`,
      unit: 'jobs/s',
      better: 'higher',
      ours,
      theirs,
      settings: SETTINGS,
      checked: 'every job was handled once; none is waiting or running at the end of each round',
    },
    target: { kind: 'ratio', atLeast },
  }
}
