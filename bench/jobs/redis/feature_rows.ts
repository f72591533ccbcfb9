import type { QueueOptions } from '@tailwater/jobs'
import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { openOurQueue } from './our_queue.ts'
import { onQueue, type RedisStage, SETTINGS, sized } from './redis_stage.ts'

const ROUNDS = 5
const JOBS = 40_000
const CONCURRENCY = 50

/** Limits that hold back nothing here, so that what is seen is what keeping to them costs. */
const variants: { metric: string; limits: QueueOptions['limits']; keys: number }[] = [
  { metric: 'concurrency 1 per key over 1,000 keys', limits: { perKey: { concurrency: 1 } }, keys: 1_000 },
  { metric: 'fair shares over 100 tenants', limits: { fair: true }, keys: 100 },
  { metric: 'a rate limit on', limits: { rate: { count: 1_000_000, per: '1s' } }, keys: 0 },
]

/** Measures `jobs features` on Redis: the queue's limits against our own plain run. */
export async function measureFeatures(stage: RedisStage): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const variant of variants) rows.push(await measureOne(stage, variant))
  return rows
}

async function measureOne(stage: RedisStage, { metric, limits, keys }: (typeof variants)[number]): Promise<Measured> {
  const { server, options } = stage
  const round = (of: QueueOptions['limits'], keyCount: number) => () =>
    onQueue(
      stage,
      () => openOurQueue(server, of),
      (queue) => queue.process(sized(stage, JOBS), CONCURRENCY, keyCount),
    )
  const sides = { ours: round(limits, keys), theirs: round({}, 0) }
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(options.rounds ?? ROUNDS, sides, (done, pair) =>
    options.say(`${metric}, pair ${done}: ${formatNumber(pair.ours)}, plain ${formatNumber(pair.theirs)} jobs/s`),
  )
  return {
    row: {
      row: 'jobs features',
      peer: 'our own plain run',
      metric: `jobs/s, ${metric}, concurrency ${CONCURRENCY}, Redis`,
      unit: 'jobs/s',
      better: 'higher',
      ours,
      theirs,
      settings: { ours: SETTINGS.ours, theirs: `${SETTINGS.ours}; no limits, no keys` },
      checked: 'every job was handled once; none is waiting or running at the end of each round',
    },
    target: { kind: 'ratio', atLeast: 0.5 },
  }
}
