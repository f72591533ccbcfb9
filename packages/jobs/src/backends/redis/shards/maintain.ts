import type { JobFilter } from '../../../backend/inspect_port.ts'
import type { MaintainPort } from '../../../backend/maintain_port.ts'
import type { Job, NewJob } from '../../../job.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** Milliseconds for which a job cannot begin in the queue that it is taken from: should the process die meanwhile, it stays there. */
const MOVING = 60_000

/** How many shards are looked after. */
export function shardedMaintain(shards: Shards): MaintainPort {
  /** In one queue, or in all of them in turn. */
  const within = ({ queue }: JobFilter, limit: number, deal: (shard: Shard, limit: number) => Promise<number>) =>
    queue === undefined ? shards.inTurn(limit, deal) : deal(shards.of(queue), limit)

  const find = (id: string) =>
    shards.first(
      async (shard) => {
        const job = await shard.inspect.get(id)
        return job && { shard, job }
      },
      (found) => found !== undefined,
    )

  /**
   * The relay between queues: stores a job under its own id in the other queue, then deletes it here. Done again after a crash it does no harm; a job of a flow stays, because
   * its family is here.
   */
  async function relay(from: Shard, job: Job, to: string): Promise<boolean> {
    if (job.parentId !== undefined || job.pendingChildren > 0 || (await from.inspect.children(job.id)).length > 0)
      return false
    if (job.state === 'available' || job.state === 'retryable' || job.state === 'scheduled') {
      const { now } = await from.schedules.due(1)
      if (!(await from.maintain.edit(job.id, { runAt: Math.max(job.runAt, now + MOVING) }))) return false
    }
    await (await shards.toWrite(to)).jobs.add([movedTo(job, to)])
    return from.maintain.remove(job.id)
  }

  async function edit(id: string, change: Parameters<MaintainPort['edit']>[1]): Promise<boolean> {
    const found = await find(id)
    if (!found) return false
    const { queue, ...rest } = change
    const isDone = await found.shard.maintain.edit(id, rest)
    if (!isDone || queue === undefined || queue === found.job.queue) return isDone
    const job = await found.shard.inspect.get(id)
    return (
      job !== undefined &&
      relay(found.shard, { ...job, ...(rest.runAt === undefined && { runAt: found.job.runAt }) }, queue)
    )
  }

  return {
    configure: async (queue, limits, retention) =>
      (await shards.toWrite(queue)).maintain.configure(queue, limits, retention),
    pause: async (queue) => (await shards.toWrite(queue)).maintain.pause(queue),
    resume: async (queue) => (await shards.toWrite(queue)).maintain.resume(queue),
    cancel: (id) => shards.anywhere(({ maintain }) => maintain.cancel(id)),
    retry: (id) => shards.anywhere(({ maintain }) => maintain.retry(id)),
    redrive: (filter, limit, to) =>
      within(filter, limit, async (shard, most) => {
        if (to === undefined) return shard.maintain.redrive(filter, most)
        const { jobs } = await shard.inspect.list(filter, { limit: most })
        let moved = 0
        for (const job of jobs) if (job.queue !== to && (await relay(shard, { ...job, runAt: 0 }, to))) moved++
        return moved
      }),
    edit,
    remove: (id) => shards.anywhere(({ maintain }) => maintain.remove(id)),
    clean: (filter, age, limit) => within(filter, limit, ({ maintain }, most) => maintain.clean(filter, age, most)),
    erase: (key, limit) => shards.inTurn(limit, ({ maintain }, most) => maintain.erase(key, most)),
    async sweep() {
      await Promise.all((await shards.all()).map(({ maintain }) => maintain.sweep()))
    },
  }
}

/** What another queue gets of a job: its attempts begin anew. */
function movedTo(job: Job, queue: string): NewJob {
  const { id, kind, payload, priority, maxAttempts, runAt, key, timeout, tags, requestId, traceparent } = job
  return {
    ...{ id, queue, kind, payload, priority, maxAttempts, tags },
    ...(runAt > 0 && { runAt }),
    ...(key !== undefined && { key }),
    ...(timeout !== undefined && { timeout }),
    ...(requestId !== undefined && { requestId }),
    ...(traceparent !== undefined && { traceparent }),
  }
}
