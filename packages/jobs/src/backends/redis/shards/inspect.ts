import type { InspectPort, JobCounts, JobFilter } from '../../../backend/inspect_port.ts'
import { type Job, jobStates } from '../../../job.ts'
import { isAfter } from '../walk.ts'
import { AWAY, childOf, familiesOf } from './away.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** How jobs of many shards are looked at: each shard is asked, and the answers are one. Stand-ins are not shown. */
export function shardedInspect(shards: Shards): InspectPort {
  const asked = async ({ queue }: JobFilter) => (queue === undefined ? shards.queues() : [queue])

  return {
    async get(id) {
      const found = await shards.first(
        async (shard) => {
          const job = await shard.inspect.get(id)
          return job && job.queue !== AWAY ? withParents(shard, [job]) : []
        },
        ({ length }) => length > 0,
      )
      return found?.[0]
    },
    async children(id) {
      const children = await shards.first(
        ({ inspect }) => inspect.children(id),
        ({ length }) => length > 0,
      )
      return (children ?? []).map((child) => (child.queue === AWAY ? shown(child) : child))
    },
    logs: async (id) =>
      (await shards.first(
        ({ inspect }) => inspect.logs(id),
        ({ length }) => length > 0,
      )) ?? [],
    async list(filter, page) {
      const pages = await Promise.all(
        (await asked(filter)).map(async (queue) => {
          const shard = shards.of(queue)
          const { jobs, next } = await shard.inspect.list({ ...filter, queue }, page)
          return { jobs: await withParents(shard, jobs), next }
        }),
      )
      const found = pages.flatMap(({ jobs }) => jobs).sort((a, b) => (isAfter(a, b) ? 1 : -1))
      const jobs = found.slice(0, page.limit)
      const isMore = found.length > jobs.length || pages.some(({ next }) => next !== undefined)
      const last = jobs.at(-1)
      return { jobs, next: isMore && last ? `${last.enqueuedAt}:${last.id}` : undefined }
    },
    async counts(queue) {
      const queues = queue === undefined ? await shards.queues() : [queue]
      return sum(await Promise.all(queues.map((name) => shards.of(name).inspect.counts(name))))
    },
    async queues() {
      const named = await Promise.all((await shards.all()).map(({ inspect }) => inspect.queues()))
      return named
        .flat()
        .filter((queue) => queue !== AWAY)
        .sort()
    },
    stats: (queue) => shards.of(queue).inspect.stats(queue),
  }
}

/** Parents that are elsewhere are not written into the jobs themselves. */
async function withParents(shard: Shard, jobs: readonly Job[]): Promise<Job[]> {
  const families = await familiesOf(
    shard,
    jobs.map(({ id }) => id),
  )
  return jobs.map((job) => ({ ...job, parentId: families.get(job.id)?.parentId ?? job.parentId }))
}

/** A stand-in as the child that it is for. */
function shown(standIn: Job): Job {
  const { queue, payload, priority, maxAttempts, tags = [] } = childOf(standIn.payload)
  return { ...standIn, queue, payload, priority, maxAttempts, tags }
}

function sum(all: readonly JobCounts[]): JobCounts {
  const totals = jobStates.map((state) => [state, all.reduce((total, counts) => total + counts[state], 0)])
  return Object.fromEntries(totals)
}
