import type { JobFilter } from '../../../backend/inspect_port.ts'
import type { MaintainPort } from '../../../backend/maintain_port.ts'
import { finalStates, type Job, type NewJob } from '../../../job.ts'
import { RETRIED } from '../maintain.ts'
import { walk } from '../walk.ts'
import { AWAY, type Away, familiesOf } from './away.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** Milliseconds for which a job cannot begin in the queue that it is taken from: should the process die meanwhile, it stays there. */
const MOVING = 60_000
/** Jobs looked at together. */
const BITE = 200

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

  /** A job of a flow stays where its family is. */
  const isAlone = async (shard: Shard, job: Job) =>
    job.parentId === undefined &&
    job.pendingChildren === 0 &&
    (await familiesOf(shard, [job.id])).size === 0 &&
    (await shard.inspect.children(job.id)).length === 0

  /** The relay between queues: stores a job under its own id in the other queue, then deletes it here. Done again after a crash it does no harm. */
  async function relay(from: Shard, job: Job, to: string): Promise<boolean> {
    if (!finalStates.includes(job.state)) {
      const { now } = await from.schedules.due(1)
      if (!(await from.maintain.edit(job.id, { runAt: Math.max(job.runAt, now + MOVING) }))) return false
    }
    await (await shards.toWrite(to)).jobs.add([movedTo(job, to)])
    return from.maintain.remove(job.id)
  }

  /** What has ended stays in its queue until it is redriven: in another one it would begin. */
  async function edit(id: string, change: Parameters<MaintainPort['edit']>[1]): Promise<boolean> {
    const found = await find(id)
    if (!found) return false
    const { shard, job } = found
    const { queue, ...rest } = change
    const isMove = queue !== undefined && queue !== job.queue
    if (isMove && (finalStates.includes(job.state) || !(await isAlone(shard, job)))) return false
    const isDone = await shard.maintain.edit(id, rest)
    if (!isDone || !isMove) return isDone
    const edited = await shard.inspect.get(id)
    return edited !== undefined && relay(shard, { ...edited, runAt: rest.runAt ?? job.runAt }, queue)
  }

  /** Redrives into another queue, oldest first; jobs of a flow stay. */
  async function redriveTo(to: string, queue: string, filter: JobFilter, most: number): Promise<number> {
    const states = RETRIED.filter((state) => filter.states?.includes(state) ?? true)
    const shard = shards.of(queue)
    if (queue === to) return shard.maintain.redrive({ ...filter, queue }, most)
    let moved = 0
    let after: Job | undefined
    do {
      const way = { queue, filter: { ...filter, queue, states }, order: 'old', after, limit: BITE } as const
      const found: Job[] = states.length === 0 ? [] : await walk(shard.connection, way)
      for (const job of found)
        if (moved < most && (await isAlone(shard, job)) && (await relay(shard, { ...job, runAt: 0 }, to))) moved++
      after = found.length === BITE ? found.at(-1) : undefined
    } while (after && moved < most)
    return moved
  }

  return {
    configure: async (queue, limits, retention) =>
      (await shards.toWrite(queue)).maintain.configure(queue, limits, retention),
    pause: async (queue) => (await shards.toWrite(queue)).maintain.pause(queue),
    resume: async (queue) => (await shards.toWrite(queue)).maintain.resume(queue),
    cancel: (id) => mended(shards.anywhere(({ maintain }) => maintain.cancel(id))),
    retry: (id) => mended(shards.anywhere(({ maintain }) => maintain.retry(id))),
    redrive: (filter, limit, to) =>
      within(filter, limit, (queue, { maintain }, most) =>
        to === undefined ? maintain.redrive({ ...filter, queue }, most) : redriveTo(to, queue, filter, most),
      ),
    edit,
    remove: (id) => mended(shards.anywhere(({ maintain }) => maintain.remove(id))),
    // In many bites, one after the other: whose child was among them the next sweep tells.
    clean: (filter, age, limit) =>
      within(filter, limit, (queue, { maintain }, most) => maintain.clean({ ...filter, queue }, age, most)),
    async erase(key, limit) {
      let erased = 0
      for (const { maintain } of await shards.all())
        if (erased < limit) erased += await maintain.erase(key, limit - erased)
      return mended(Promise.resolve(erased))
    },
    async sweep() {
      const swept = await Promise.all((await shards.all()).map(({ maintain }) => maintain.sweep()))
      await away.mendAll()
      return { buried: swept.flatMap(({ buried }) => buried) }
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
