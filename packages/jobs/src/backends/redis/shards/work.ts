import type { Turn, TurnReply, WorkPort } from '../../../backend/work_port.ts'
import type { JobEnd } from '../../../job.ts'
import { type Away, type Family, familiesOf } from './away.ts'
import type { Shard } from './shard.ts'
import type { Shards } from './shards.ts'

/** What a worker says and wants in one shard. */
interface Part {
  wants: Turn['wants'][number][]
  ends: JobEnd[]
  reconcile: string[]
}

/** Who has claimed a job here, and where it is. */
interface Claim {
  queue: string
  worker: string
}

/**
 * One worker on many shards: a turn is one script for each queue that it wants of, has jobs of, or has something to tell of, all on their way together.
 *
 * A lease is renewed where the worker has jobs, so that no shard takes it for dead. When one of the scripts fails the whole turn has failed: the engine tells the same ends again,
 * and says which jobs it believes it has, and so hears of those that the others had given. Two turns may be under way at a time, neither of which asks so.
 */
export function shardedWork(shards: Shards, away: Away): WorkPort {
  /** Jobs that were claimed here and have not ended. */
  const claims = new Map<string, Claim>()
  /** Queues that a worker has ever asked: in any of them may be jobs that it does not know it was given. */
  const visited = new Map<string, Set<string>>()

  function visitedBy(worker: string): Set<string> {
    const known = visited.get(worker) ?? new Set<string>()
    visited.set(worker, known)
    return known
  }

  function partsOf({ worker, wants, ends, reconcile }: Turn, everywhere: readonly string[]): Map<string, Part> {
    const parts = new Map<string, Part>()
    const part = (queue: string) => {
      const known = parts.get(queue) ?? { wants: [], ends: [], reconcile: [] }
      parts.set(queue, known)
      return known
    }
    for (const want of wants) part(want.queue).wants.push(want)
    for (const claim of claims.values()) if (claim.worker === worker) part(claim.queue)
    if (reconcile) for (const queue of visitedBy(worker)) part(queue)
    for (const end of ends) {
      const claim = claims.get(end.id)
      // Of a job that this process knows nothing of any shard may know.
      for (const queue of claim ? [claim.queue] : everywhere) part(queue).ends.push(end)
    }
    for (const id of reconcile ?? []) {
      const claim = claims.get(id)
      if (claim) part(claim.queue).reconcile.push(id)
    }
    return parts
  }

  /** All parts are over when it settles, so that what the worker believes afterwards is asked of no shard that is still at work for it. */
  async function take(given: Turn, parts: ReadonlyMap<string, Part>): Promise<TurnReply[]> {
    const { worker, lease } = given
    const settled = await Promise.allSettled(
      [...parts].map(async ([queue, { reconcile, ...said }]) => {
        visitedBy(worker).add(queue)
        const shard = await shards.toWrite(queue)
        const [reply, families] = await Promise.all([
          shard.work.turn({ worker, lease, ...said, ...(given.reconcile && { reconcile }) }),
          familiesOf(
            shard,
            said.ends.map(({ id }) => id),
          ),
        ])
        for (const { id } of reply.claimed) claims.set(id, { queue, worker })
        await tellFamilies(shard, said.ends, reply, families)
        return reply
      }),
    )
    return settled.map((outcome) => {
      if (outcome.status === 'rejected') throw outcome.reason
      return outcome.value
    })
  }

  /** What has ended in this turn, with or without having been told. */
  async function tellFamilies(
    shard: Shard,
    ends: readonly JobEnd[],
    { refused, buried }: TurnReply,
    families: ReadonlyMap<string, Family>,
  ): Promise<void> {
    for (const end of ends) {
      const family = families.get(end.id)
      if (family && !refused.includes(end.id)) await away.ended(shard, family, end)
    }
    const ofBuried = await familiesOf(
      shard,
      buried.map(({ id }) => id),
    )
    for (const { id, attempt } of buried) {
      const family = ofBuried.get(id)
      // The store has said its error.
      if (family) await away.ended(shard, family, { id, attempt, outcome: 'failed', error: '', delay: 0 })
    }
  }

  return {
    maxClaim: shards.of('default').work.maxClaim,
    async turn(given) {
      const { ends, reconcile = [] } = given
      const everywhere = ends.some(({ id }) => !claims.has(id)) ? await shards.queues() : []
      const asked = new Map(ends.map(({ id }) => [id, claims.has(id) ? 1 : everywhere.length]))
      const unknown = reconcile.filter((id) => !claims.has(id))
      const ended = ends.flatMap(({ id }) => claims.get(id) ?? [])
      const replies = await take(given, partsOf(given, everywhere))
      const whole = joined(replies, asked)
      for (const [at, { id }] of ends.entries()) if (claims.get(id) === ended[at]) claims.delete(id)
      for (const id of whole.lost) claims.delete(id)
      return { ...whole, lost: [...whole.lost, ...unknown] }
    },
    async report(worker, reports) {
      const lots = Map.groupBy(reports, ({ id }) => claims.get(id)?.queue ?? '')
      lots.delete('')
      await Promise.all([...lots].map(([queue, lot]) => shards.of(queue).work.report(worker, lot)))
    },
    async observe(spans) {
      await Promise.all(spans.map(async (one) => (await shards.toWrite(one.queue)).work.observe([one])))
    },
    async leave(worker) {
      await Promise.all([...visitedBy(worker)].map((queue) => shards.of(queue).work.leave(worker)))
      visited.delete(worker)
      for (const [id, claim] of claims) if (claim.worker === worker) claims.delete(id)
    },
  }
}

/** @param asked in how many shards an end was told: refused is what all of them refused */
function joined(replies: readonly TurnReply[], asked: ReadonlyMap<string, number>): TurnReply {
  const refusals = new Map<string, number>()
  for (const { refused } of replies) for (const id of refused) refusals.set(id, (refusals.get(id) ?? 0) + 1)
  const waits = replies.flatMap(({ nextIn }) => (nextIn === undefined ? [] : [nextIn]))
  return {
    claimed: replies.flatMap(({ claimed }) => claimed),
    refused: [...asked].flatMap(([id, count]) => ((refusals.get(id) ?? 0) >= count ? [id] : [])),
    lost: replies.flatMap(({ lost }) => lost),
    cancelled: replies.flatMap(({ cancelled }) => cancelled),
    nextIn: waits.length > 0 ? Math.min(...waits) : undefined,
    buried: replies.flatMap(({ buried }) => buried),
  }
}
