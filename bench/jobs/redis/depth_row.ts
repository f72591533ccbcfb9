import { newId } from '@tailwater/core'
import type { JobEnd, JobsBackend } from '@tailwater/jobs'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { formatNumber } from '../../harness/report.ts'
import { runPairs } from '../../harness/rounds.ts'
import type { Measured } from '../../harness/row.ts'
import { payload, perSecond } from '../payload.ts'
import { openOurQueue } from './our_queue.ts'
import { type RedisStage, SETTINGS, sized } from './redis_stage.ts'

/** More than elsewhere: the target is near 1. */
const ROUNDS = 7
const DEEP = 1_000_000
const SHALLOW = 10_000
/** Jobs claimed in one turn, and in one round. */
const CLAIM = 50
const CLAIMED = 5_000
const PRIORITIES = [64, 0, 192, 128]

/** Measures `jobs depth` on Redis: claims from a million waiting jobs of mixed priorities against claims from ten thousand. */
export async function measureDepth(stage: RedisStage): Promise<Measured[]> {
  const { server, options } = stage
  const [deep, shallow] = [sized(stage, DEEP), SHALLOW]
  const queues = { deep: await openOurQueue(server), shallow: await openOurQueue(server) }
  const sides = {
    ours: claimer(createRedisBackend({ redis: queues.deep.redis }), deep),
    theirs: claimer(createRedisBackend({ redis: queues.shallow.redis }), shallow),
  }
  options.say(`Storing ${formatNumber(deep)} jobs …`)
  await runPairs(1, sides)
  const { ours, theirs } = await runPairs(options.rounds ?? ROUNDS, sides, (done, pair) =>
    options.say(`depth, pair ${done}: ${formatNumber(pair.ours)}, ${formatNumber(pair.theirs)} jobs/s`),
  )
  for (const queue of Object.values(queues)) await queue.close()
  await server.ask('FLUSHALL')
  return [
    {
      row: {
        row: 'jobs depth',
        peer: 'itself',
        metric: `jobs/s claimed and completed, ${formatNumber(deep)} against ${formatNumber(shallow)} waiting, ${PRIORITIES.length} priorities, Redis`,
        unit: 'jobs/s',
        better: 'higher',
        ours,
        theirs,
        settings: {
          ours: `${SETTINGS.ours}; turns of ${CLAIM}; ${formatNumber(deep)} waiting`,
          theirs: `the same with ${formatNumber(shallow)} waiting`,
        },
        checked: 'order of all claims: by priority, then by age',
      },
      target: { kind: 'ratio', atLeast: 0.8 },
    },
  ]
}

/** A round fills the queue up to `depth`, and claims and completes. */
function claimer({ jobs, work }: JobsBackend, depth: number): () => Promise<number> {
  let waiting = 0
  let last = ''

  async function fill(): Promise<void> {
    while (waiting < depth) {
      const lot = Array.from({ length: Math.min(jobs.maxBatch, depth - waiting) }, () => ({
        id: newId(),
        queue: 'mail',
        kind: 'send',
        payload: JSON.stringify(payload),
        priority: PRIORITIES[waiting++ % PRIORITIES.length]!,
        maxAttempts: 5,
      }))
      await jobs.add(lot)
    }
    // Newer ones of a higher priority go first.
    last = ''
  }

  return async () => {
    await fill()
    let ends: JobEnd[] = []
    const began = performance.now()
    for (let claimed = 0; claimed < CLAIMED; claimed += CLAIM) {
      const reply = await work.turn({ worker: 'a', lease: 30_000, ends, wants: [{ queue: 'mail', count: CLAIM }] })
      for (const { id, priority } of reply.claimed) {
        const place = `${String(priority).padStart(3, '0')}:${id}`
        if (place <= last) throw new Error(`${place} was claimed after ${last}`)
        last = place
      }
      if (reply.claimed.length !== CLAIM) throw new Error(`only ${reply.claimed.length} jobs were claimed`)
      ends = reply.claimed.map(({ id, attempt }) => ({ id, attempt, outcome: 'completed', result: undefined }))
      waiting -= CLAIM
    }
    const rate = perSecond(CLAIMED, began)
    await work.turn({ worker: 'a', lease: 30_000, ends, wants: [] })
    return rate
  }
}
