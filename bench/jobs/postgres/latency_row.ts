import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { listener, trickle } from '../latency.ts'
import { payload } from '../payload.ts'
import { openGraphileQueue } from './graphile_queue.ts'
import { openOurQueue } from './our_queue.ts'
import { type PostgresStage, sized } from './postgres_stage.ts'

const ROUNDS = 5
const CONCURRENCY = 10
/** Jobs of a round. */
const JOBS = 1_000

/** Measures `jobs latency` on PostgreSQL: from the call that enqueues to the begin of the handler, 100 jobs a second. */
export async function measureLatency(stage: PostgresStage): Promise<Measured[]> {
  const jobs = sized(stage, JOBS)
  const sides = {
    ours: async () => {
      const queue = await openOurQueue(stage)
      const { seen, note } = listener(jobs)
      const worker = queue.engine(CONCURRENCY, async (job) => note(job.payload.sentAt!)).jobs
      await worker.start()
      await trickle(jobs, () => queue.kind.enqueue({ ...payload, sentAt: performance.now() }))
      const p99 = await seen
      await worker.stop()
      await queue.close()
      return p99
    },
    theirs: async () => {
      const queue = await openGraphileQueue(stage)
      const { seen, note } = listener(jobs)
      const settings = {
        concurrentJobs: CONCURRENCY,
        localQueue: undefined,
        completeJobBatchDelay: -1,
        failJobBatchDelay: -1,
      }
      const worker = await queue.runner(async (data) => note((data as { sentAt: number }).sentAt), settings)
      await trickle(jobs, () => queue.add({ ...payload, sentAt: performance.now() }))
      const p99 = await seen
      await worker.stop()
      await queue.close()
      return p99
    },
  }
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(stage.options.rounds ?? ROUNDS, sides, (done, pair) =>
    stage.options.say(`latency, pair ${done}: p99 ${formatNumber(pair.ours)}, ${formatNumber(pair.theirs)} ms`),
  )
  return [
    {
      row: {
        row: 'jobs latency',
        peer: 'graphile-worker',
        metric: 'p99 from enqueue to start, 100 jobs/s, PostgreSQL',
        unit: 'ms',
        better: 'lower',
        ours,
        theirs,
        settings: {
          ours: `concurrency ${CONCURRENCY}; enqueued by another engine of the same process, woken by NOTIFY`,
          theirs: `concurrency ${CONCURRENCY}, without localQueue, enqueued by its utilities in the same process, woken by NOTIFY`,
        },
        checked: 'every job has begun',
      },
      target: { kind: 'ratio', atLeast: 1 },
    },
  ]
}
