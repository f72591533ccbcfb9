import type { EnqueuePort, Stored } from '../../../backend/enqueue_port.ts'
import { jobsError } from '../../../errors.ts'
import type { NewJob } from '../../../job.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** How jobs come into queues with a tag each: those of one queue are stored or fail together, in their order. */
export function shardedEnqueue(shards: Shards): EnqueuePort {
  const listeners = new Map<(queue: string) => void, Map<string, Promise<() => Promise<void>>>>()
  const heard = new Set<string>()

  function listen(wake: (queue: string) => void, queue: string): Promise<() => Promise<void>> {
    const ends = listeners.get(wake)!
    const end = ends.get(queue) ?? shards.of(queue).jobs.onAvailable(wake)
    ends.set(queue, end)
    return end
  }

  async function toWrite(queue: string): Promise<Shard> {
    const shard = await shards.toWrite(queue)
    if (heard.has(queue)) return shard
    heard.add(queue)
    await Promise.all([...listeners.keys()].map((wake) => listen(wake, queue)))
    return shard
  }

  return {
    maxBatch: shards.of('default').jobs.maxBatch,
    async add(jobs, tx) {
      if (tx) return shards.of('default').jobs.add(jobs, tx)
      const outcomes = new Map<NewJob, Stored>()
      const lots = Map.groupBy(jobs, (job) => queueOf(job))
      await Promise.all(
        [...lots].map(async ([queue, lot]) => {
          const stored = await (await toWrite(queue)).jobs.add(lot)
          for (const [at, job] of lot.entries()) outcomes.set(job, stored[at]!)
        }),
      )
      return jobs.map((job) => outcomes.get(job)!)
    },
    async onAvailable(wake) {
      const own = (queue: string) => wake(queue)
      listeners.set(own, new Map())
      await Promise.all([...new Set([...heard, ...(await shards.queues())])].map((queue) => listen(own, queue)))
      return async () => {
        const ends = listeners.get(own)
        listeners.delete(own)
        for (const end of ends?.values() ?? []) await (await end)()
      }
    },
  }
}

/** Refuses flows through several queues, before anybody is told that they are stored. @throws E_JOB_FLOW */
export function refuseWideFlows(jobs: readonly NewJob[]): void {
  for (const job of jobs) queueOf(job)
}

/** The queue of a whole tree. @throws E_JOB_FLOW */
function queueOf(job: NewJob, queue = job.queue): string {
  for (const child of job.children ?? []) {
    if (child.queue !== queue)
      throw jobsError(
        'E_JOB_FLOW',
        `with a tag for each queue a flow lies in one queue: '${child.kind}' is in '${child.queue}', and '${job.kind}' in '${queue}'`,
      )
    queueOf(child, queue)
  }
  return queue
}
