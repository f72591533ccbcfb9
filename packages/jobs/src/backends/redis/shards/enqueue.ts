import type { EnqueuePort, Stored } from '../../../backend/enqueue_port.ts'
import type { NewJob } from '../../../job.ts'
import { type Away, hasStandIn, withStandIns } from './away.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** How jobs come into queues with a tag each: those of one queue are stored or fail together, in their order. @param away is built on what is stored here */
export function shardedEnqueue(shards: Shards, away: () => Away): EnqueuePort {
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

  async function store(queue: string, lot: readonly NewJob[]): Promise<Stored[]> {
    const jobs = lot.map(withStandIns)
    const stored = await (await toWrite(queue)).jobs.add(jobs)
    if (jobs.some(hasStandIn)) await away().send(queue)
    return stored
  }

  return {
    maxBatch: shards.of('default').jobs.maxBatch,
    async add(jobs, tx) {
      if (tx) return shards.of('default').jobs.add(jobs, tx)
      const outcomes = new Map<NewJob, Stored>()
      const lots = Map.groupBy(jobs, ({ queue }) => queue)
      await Promise.all(
        [...lots].map(async ([queue, lot]) => {
          const stored = await store(queue, lot)
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
