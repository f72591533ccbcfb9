import type { JobFilter } from '../../../backend/inspect_port.ts'
import type { MaintainPort } from '../../../backend/maintain_port.ts'
import type { Job, NewJob } from '../../../job.ts'
import { AWAY, type Away, familiesOf } from './away.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** Milliseconds for which a job cannot begin in the queue that it is taken from: should the process die meanwhile, it stays there. */
const MOVING = 60_000

/** How many shards are looked after. */
export function shardedMaintain(shards: Shards, away: Away): MaintainPort {
  /** In one queue, or in all of them in turn. */
  const within = async (
    { queue }: JobFilter,
    limit: number,
    deal: (queue: string, shard: Shard, limit: number) => Promise<number>,
  ) => {
    let dealt = 0
    for (const name of queue === undefined ? await shards.queues() : [queue]) {
      if (dealt >= limit) break
      dealt += await deal(name, shards.of(name), limit - dealt)
    }
    return dealt
  }

  const find = (id: string) =>
    shards.first(
      async (shard) => {
        const job = await shard.inspect.get(id)
        return job && job.queue !== AWAY ? { shard, job } : undefined
      },
      (found) => found !== undefined,
    )

  /**
   * The relay between queues: stores a job under its own id in the other queue, then deletes it here. Done again after a crash it does no harm; a job of a flow stays, because
   * its family is here.
   */
  async function relay(from: Shard, job: Job, to: string): Promise<boolean> {
    if (
      (await familiesOf(from, [job.id])).size > 0 ||
      job.parentId !== undefined ||
      job.pendingChildren > 0 ||
      (await from.inspect.children(job.id)).length > 0
    )
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
    cancel: (id) => mended(shards.anywhere(({ maintain }) => maintain.cancel(id))),
    retry: (id) => mended(shards.anywhere(({ maintain }) => maintain.retry(id))),
    redrive: (filter, limit, to) =>
      within(filter, limit, async (queue, shard, most) => {
        if (to === undefined) return shard.maintain.redrive({ ...filter, queue }, most)
        const { jobs } = await shard.inspect.list({ ...filter, queue }, { limit: most })
        let moved = 0
        for (const job of jobs) if (job.queue !== to && (await relay(shard, { ...job, runAt: 0 }, to))) moved++
        return moved
      }),
    edit,
    remove: (id) => mended(shards.anywhere(({ maintain }) => maintain.remove(id))),
    clean: (filter, age, limit) =>
      mended(within(filter, limit, (queue, { maintain }, most) => maintain.clean({ ...filter, queue }, age, most))),
    async erase(key, limit) {
      let erased = 0
      for (const { maintain } of await shards.all())
        if (erased < limit) erased += await maintain.erase(key, limit - erased)
      return mended(Promise.resolve(erased))
    },
    async sweep() {
      await Promise.all((await shards.all()).map(({ maintain }) => maintain.sweep()))
      await away.mendAll()
    },
  }

  /** What was done to one of a family the other queue learns at once. */
  async function mended<Result>(doing: Promise<Result>): Promise<Result> {
    const result = await doing
    await away.mendAll()
    return result
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
