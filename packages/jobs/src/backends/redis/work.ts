import { newId } from '@tailwater/core'
import type { RedisArgument } from '@tailwater/redis'
import type { Turn, TurnReply, WorkPort } from '../../backend/work_port.ts'
import type { ClaimedJob, JobEnd } from '../../job.ts'
import type { JobsConnection } from './connection.ts'
import { type BuriedJob, buriedOf, claimedOf } from './job_text.ts'
import { waitedOf } from './score.ts'
import { LEAVE } from './scripts/leave.ts'
import { OBSERVE } from './scripts/observe.ts'
import { REPORT } from './scripts/report.ts'
import { TURN } from './scripts/turn.ts'
import { spanArguments } from './spans.ts'

/** Jobs of one turn: what the script may pass to a command at once. */
const MAX_CLAIM = 1_000
/** Log lines that are kept of a job. */
const MAX_LINES = 1_000
type Claim = [queue: string, popped: string[], bodies: string[], records: (string | null)[]]
type TurnWire = [
  now: number,
  claims: Claim[],
  refused: string[],
  stops: string[],
  nextIn: number,
  buried: BuriedJob[],
  lost: string[],
]

/** How workers work on Redis. @param maxCrashes crashes that a job may have before it is taken for poison */
export function workPort(connection: JobsConnection, maxCrashes: number): WorkPort {
  // No two turns of all times have the same number: by it a turn is known that the driver sent twice, as it may to a cluster, or as an application's own client may.
  const source = newId().slice(-12)
  const isRepeated = connection.redis.topology === 'cluster' || connection.redis.topology === 'external'
  let turns = 0

  /** At most `MAX_CLAIM` ends. */
  async function take(turn: Turn, ends: readonly JobEnd[]): Promise<TurnReply> {
    const args = turnArguments(turn, ends, [maxCrashes, isRepeated ? `${source}.${++turns}` : ''])
    return replyOf(await connection.run<TurnWire>(TURN, args))
  }

  return {
    maxClaim: MAX_CLAIM,
    async turn(turn) {
      const refused: string[] = []
      const buried: ClaimedJob[] = []
      let from = 0
      // A lot of ends goes in turns that claim nothing.
      for (; turn.ends.length - from > MAX_CLAIM; from += MAX_CLAIM) {
        const { worker, lease } = turn
        const ends = turn.ends.slice(from, from + MAX_CLAIM)
        const before = await take({ worker, lease, ends, wants: [] }, ends)
        refused.push(...before.refused)
        buried.push(...before.buried)
      }
      const reply = await take(turn, from === 0 ? turn.ends : turn.ends.slice(from))
      return { ...reply, refused: [...refused, ...reply.refused], buried: [...buried, ...reply.buried] }
    },
    async report(worker, reports) {
      if (reports.length === 0) return
      const args: RedisArgument[] = [worker, MAX_LINES]
      for (const { id, progress, logs = [] } of reports) {
        const lines = logs.slice(-MAX_LINES)
        args.push(id, progress === undefined ? 0 : 1, progress ?? '', lines.length, ...lines)
      }
      await connection.run(REPORT, args)
    },
    async observe(spans) {
      await connection.run(OBSERVE, spanArguments(spans))
    },
    async leave(worker) {
      await connection.run(LEAVE, [worker])
    },
  }
}

function turnArguments(
  { worker, lease, wants, reconcile }: Turn,
  ends: readonly JobEnd[],
  settings: readonly RedisArgument[],
): RedisArgument[] {
  const args: RedisArgument[] = [worker, lease, ...settings]
  const completed = ends.filter((end) => end.outcome === 'completed')
  args.push(completed.length)
  for (const { id } of completed) args.push(id)
  for (const { attempt } of completed) args.push(attempt)
  for (const { result } of completed) args.push(result ?? '')
  args.push(ends.length - completed.length)
  for (const end of ends) {
    if (end.outcome === 'completed') continue
    const { id, attempt, outcome } = end
    args.push(id, attempt, outcome, 'error' in end ? end.error : '', 'delay' in end ? Math.max(0, end.delay) : 0)
  }
  args.push(wants.length)
  for (const { queue, count } of wants) args.push(queue, Math.max(0, Math.min(MAX_CLAIM, count)))
  if (reconcile) args.push(reconcile.length, ...reconcile)
  else args.push(-1)
  return args
}

function replyOf([now, claims, refused, cancelled, nextIn, buried, lost]: TurnWire): TurnReply {
  return {
    claimed: claims.flatMap((claim) => claimsOf(claim, now)),
    refused,
    cancelled,
    nextIn: nextIn < 0 ? undefined : nextIn,
    buried: buried.map(buriedOf),
    lost,
  }
}

function claimsOf([queue, popped, bodies, records]: Claim, now: number): ClaimedJob[] {
  if (queue === '') return givenAgain(popped, bodies)
  return bodies.map((body, position) => {
    const record = records[position]
    const attempt = record ? Number.parseInt(record, 10) + 1 : 1
    return claimedOf(popped[2 * position]!, body, attempt, waitedOf(Number(popped[2 * position + 1]), now))
  })
}

/** Id, score, attempt and begin of each job. */
function givenAgain(parts: readonly string[], bodies: readonly string[]): ClaimedJob[] {
  return bodies.map((body, position) => {
    const [id, score, attempt, startedAt] = parts.slice(4 * position)
    return claimedOf(id!, body, Number(attempt), waitedOf(Number(score), Number(startedAt)))
  })
}
