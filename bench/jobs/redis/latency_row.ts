import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { listener, trickle } from '../latency.ts'
import { payload } from '../payload.ts'
import { openBullQueue } from './bull_queue.ts'
import { openOurQueue } from './our_queue.ts'
import { onQueue, type RedisStage, SETTINGS, sized } from './redis_stage.ts'

const ROUNDS = 5
const CONCURRENCY = 10
/** Jobs of a round. */
const JOBS = 1_000

/** Measures `jobs latency` on Redis: from the call that enqueues to the begin of the handler, 100 jobs a second. */
export async function measureLatency(stage: RedisStage): Promise<Measured[]> {
  const { server, bull, options } = stage
  const count = sized(stage, JOBS)
  const sides = {
    ours: () =>
      onQueue(
        stage,
        () => openOurQueue(server),
        (queue) => ourRound(queue, count),
      ),
    theirs: () =>
      onQueue(
        stage,
        () => openBullQueue(bull, server),
        (queue) => bullRound(queue, count),
      ),
  }
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(options.rounds ?? ROUNDS, sides, (done, pair) =>
    options.say(`latency, pair ${done}: p99 ${formatNumber(pair.ours)}, ${formatNumber(pair.theirs)} ms`),
  )
  return [
    {
      row: {
        row: 'jobs latency',
        peer: 'BullMQ',
        metric: 'p99 from enqueue to start, 100 jobs/s, Redis',
        unit: 'ms',
        better: 'lower',
        ours,
        theirs,
        settings: SETTINGS,
        checked: 'every job has begun',
      },
      target: { kind: 'ratio', atLeast: 1 },
    },
  ]
}

async function ourRound(queue: Awaited<ReturnType<typeof openOurQueue>>, count: number): Promise<number> {
  const { seen, note } = listener(count)
  const { jobs } = queue.engine(CONCURRENCY, async ({ payload: { sentAt } }) => note(sentAt!))
  await jobs.start()
  await trickle(count, () => queue.kind.enqueue({ ...payload, sentAt: performance.now() }))
  const p99 = await seen
  await jobs.stop()
  return p99
}

async function bullRound(queue: Awaited<ReturnType<typeof openBullQueue>>, count: number): Promise<number> {
  const { seen, note } = listener(count)
  const worker = await queue.worker(CONCURRENCY, async ({ data }) => note((data as { sentAt: number }).sentAt))
  void worker.run()
  await trickle(count, () => queue.add({ ...payload, sentAt: performance.now() }))
  const p99 = await seen
  await worker.close()
  return p99
}
