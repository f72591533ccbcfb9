import type { JobEnd, QueueOptions } from '@tailwater/jobs'
import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { payload, perSecond } from '../payload.ts'
import { openOurQueue } from './our_queue.ts'
import { type PostgresStage, SETTINGS, sized } from './postgres_stage.ts'

const ROUNDS = 5
const JOBS = 40_000
const FEATURE_SETTINGS = SETTINGS.ours.replace('concurrency 1,000', 'concurrency 500')
const DEEP = 1_000_000
const SHALLOW = 10_000
/** Jobs of one turn, and turns of a round, of the depth row. */
const CLAIM = 100
const TURNS = 50
const PRIORITIES = [0, 64, 128, 192]

/** Handlers at once: half of the keys of the first variant, whose limit would hold some back with as many handlers as keys, in two turns at a time. */
const FEATURE_CONCURRENCY = 500
/** Limits that hold back nothing here, so that what is seen is what keeping to them costs. */
const variants: { metric: string; limits: QueueOptions['limits']; keys: number }[] = [
  { metric: 'concurrency 1 per key over 1,000 keys', limits: { perKey: { concurrency: 1 } }, keys: 1_000 },
  { metric: 'fair shares over 100 tenants', limits: { fair: true }, keys: 100 },
  { metric: 'a rate limit on', limits: { rate: { count: 1_000_000, per: '1s' } }, keys: 0 },
]

/** Measures `jobs features` on PostgreSQL: the queue's limits against our own plain run. */
export async function measureFeatures(stage: PostgresStage): Promise<Measured[]> {
  const rows: Measured[] = []
  for (const { metric, limits, keys } of variants) {
    const round = (of: QueueOptions['limits'], keyCount: number) => async () => {
      const queue = await openOurQueue(stage, { limits: of })
      const rate = await queue.process(sized(stage, JOBS), keyCount, FEATURE_CONCURRENCY)
      await queue.close()
      return rate
    }
    const sides = { ours: round(limits, keys), theirs: round({}, 0) }
    await runPairs(1, sides)
    const { ours, theirs } = await runPairs(stage.options.rounds ?? ROUNDS, sides, (done, pair) =>
      stage.options.say(`${metric}, pair ${done}: ${formatNumber(pair.ours)}, plain ${formatNumber(pair.theirs)}`),
    )
    rows.push({
      row: {
        row: 'jobs features',
        peer: 'our own plain run',
        metric: `jobs/s, ${metric}, PostgreSQL`,
        unit: 'jobs/s',
        better: 'higher',
        ours,
        theirs,
        settings: { ours: FEATURE_SETTINGS, theirs: `${FEATURE_SETTINGS}; no limits, no keys` },
        checked: 'every job was handled once; none waits or runs at the end of each round',
      },
      target: { kind: 'ratio', atLeast: 0.5 },
    })
  }
  return rows
}

/** Measures `jobs depth` on PostgreSQL: claims from a million waiting jobs of mixed priorities against claims from ten thousand. */
export async function measureDepth(stage: PostgresStage): Promise<Measured[]> {
  const deep = sized(stage, DEEP)
  const [full, low] = [await openOurQueue(stage), await openOurQueue(stage)]
  stage.options.say(`storing ${formatNumber(deep)} jobs …`)
  const sides = { ours: claimer(full, deep), theirs: claimer(low, SHALLOW) }
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(stage.options.rounds ?? ROUNDS, sides, (done, pair) =>
    stage.options.say(`depth, pair ${done}: ${formatNumber(pair.ours)}, ${formatNumber(pair.theirs)}`),
  )
  for (const queue of [full, low]) await queue.close()
  return [
    {
      row: {
        row: 'jobs depth',
        peer: 'itself',
        metric: `jobs/s claimed and completed, ${formatNumber(deep)} against ${formatNumber(SHALLOW)} waiting, ${PRIORITIES.length} priorities, PostgreSQL`,
        unit: 'jobs/s',
        better: 'higher',
        ours,
        theirs,
        settings: { ours: `turns of ${CLAIM}`, theirs: `turns of ${CLAIM}` },
        checked: 'order of all claims: by priority, then by age',
      },
      target: { kind: 'ratio', atLeast: 0.8 },
    },
  ]
}

/** A round fills the queue up to `depth`, then claims and completes. */
function claimer({ backend: { jobs, work } }: Awaited<ReturnType<typeof openOurQueue>>, depth: number) {
  let waiting = 0
  let nth = 0
  const text = JSON.stringify(payload)

  async function fill(): Promise<void> {
    while (waiting < depth) {
      const count = Math.min(jobs.maxBatch, depth - waiting)
      await jobs.add(
        Array.from({ length: count }, () => ({
          // In their order, as those of version 7 are.
          id: `${(0x01900000 + Math.floor(nth / 0x10000)).toString(16).padStart(8, '0')}-${(nth++ % 0x10000).toString(16).padStart(4, '0')}-7000-8000-000000000000`,
          queue: 'mail',
          kind: 'send',
          payload: text,
          priority: PRIORITIES[nth % PRIORITIES.length]!,
          maxAttempts: 5,
        })),
      )
      waiting += count
    }
  }

  return async () => {
    await fill()
    let last = ''
    let ends: JobEnd[] = []
    const began = performance.now()
    for (let turn = 0; turn < TURNS; turn++) {
      const { claimed } = await work.turn({
        worker: 'a',
        lease: 30_000,
        ends,
        wants: [{ queue: 'mail', count: CLAIM }],
      })
      for (const { id, priority } of claimed) {
        const place = `${String(priority).padStart(3, '0')}:${id}`
        if (place <= last) throw new Error(`${place} was claimed after ${last}`)
        last = place
      }
      if (claimed.length !== CLAIM) throw new Error(`only ${claimed.length} jobs were claimed`)
      ends = claimed.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed', result: undefined }))
      waiting -= CLAIM
    }
    const rate = perSecond(CLAIM * TURNS, began)
    await work.turn({ worker: 'a', lease: 30_000, ends, wants: [] })
    return rate
  }
}
