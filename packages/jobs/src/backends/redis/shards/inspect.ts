import type { InspectPort, JobCounts } from '../../../backend/inspect_port.ts'
import { jobStates } from '../../../job.ts'
import { isAfter } from '../walk.ts'
import type { Shards } from './shards.ts'

/** How jobs of many shards are looked at: each shard is asked, and the answers are one. */
export function shardedInspect(shards: Shards): InspectPort {
  return {
    get: (id) =>
      shards.first(
        ({ inspect }) => inspect.get(id),
        (job) => job !== undefined,
      ),
    children: async (id) =>
      (await shards.first(
        ({ inspect }) => inspect.children(id),
        ({ length }) => length > 0,
      )) ?? [],
    logs: async (id) =>
      (await shards.first(
        ({ inspect }) => inspect.logs(id),
        ({ length }) => length > 0,
      )) ?? [],
    async list(filter, page) {
      const asked = filter.queue === undefined ? await shards.all() : [shards.of(filter.queue)]
      const pages = await Promise.all(asked.map(({ inspect }) => inspect.list(filter, page)))
      const found = pages.flatMap(({ jobs }) => jobs).sort((a, b) => (isAfter(a, b) ? 1 : -1))
      const jobs = found.slice(0, page.limit)
      const isMore = found.length > jobs.length || pages.some(({ next }) => next !== undefined)
      const last = jobs.at(-1)
      return { jobs, next: isMore && last ? `${last.enqueuedAt}:${last.id}` : undefined }
    },
    async counts(queue) {
      if (queue !== undefined) return shards.of(queue).inspect.counts(queue)
      return sum(await Promise.all((await shards.all()).map(({ inspect }) => inspect.counts())))
    },
    async queues() {
      const named = await Promise.all((await shards.all()).map(({ inspect }) => inspect.queues()))
      return named.flat().sort()
    },
    stats: (queue) => shards.of(queue).inspect.stats(queue),
  }
}

function sum(all: readonly JobCounts[]): JobCounts {
  const totals = jobStates.map((state) => [state, all.reduce((total, counts) => total + counts[state], 0)])
  return Object.fromEntries(totals)
}
