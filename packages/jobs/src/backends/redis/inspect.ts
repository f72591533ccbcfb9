import type { InspectPort, JobCounts, JobFilter, JobPage, QueueStats } from '../../backend/inspect_port.ts'
import { SPAN_SLOT, SPAN_SLOTS } from '../../backend/work_port.ts'
import type { Job } from '../../job.ts'
import type { JobsConnection } from './connection.ts'
import { type JobRecord, jobOf } from './job_text.ts'
import { waitedOf } from './score.ts'
import { COUNTS } from './scripts/counts.ts'
import { READ } from './scripts/read.ts'
import { STATS } from './scripts/stats.ts'
import { spansOf } from './spans.ts'
import { cursorOf, isAfter, walk } from './walk.ts'

type Counts = [
  all: number,
  pending: number,
  scheduled: number,
  retryable: number,
  completed: number,
  cancelled: number,
  dead: number,
  running: number,
]

type StatsWire = [now: number, paused: number, counts: Counts, score: string, minutes: string[], spans: string[]]

/** How jobs in Redis are looked at. */
export function inspectPort(connection: JobsConnection): InspectPort {
  const { redis, root } = connection
  const queues = async () => (await redis.command<string[]>('SMEMBERS', `${root}:queues`)).sort()

  async function list(filter: JobFilter, { cursor, limit }: { cursor?: string; limit: number }): Promise<JobPage> {
    const names = filter.queue === undefined ? await queues() : [filter.queue]
    const after = cursor === undefined ? undefined : cursorOf(cursor)
    const pages = await Promise.all(
      names.map((queue) => walk(connection, { queue, filter, order: 'new', after, limit: limit + 1 })),
    )
    const found = pages.flat().sort((a, b) => (isAfter(a, b) ? 1 : -1))
    const jobs = found.slice(0, limit)
    const last = jobs.at(-1)
    return { jobs, next: last && found.length > limit ? `${last.enqueuedAt}:${last.id}` : undefined }
  }

  return {
    list,
    queues,
    async get(id) {
      const [record] = await connection.run<JobRecord[]>(READ, ['jobs', id])
      return record && jobOf(record)
    },
    children: async (id): Promise<Job[]> => (await connection.run<JobRecord[]>(READ, ['children', id])).map(jobOf),
    logs: (id) => redis.command<string[]>('LRANGE', `${root}:log:${id}`, 0, -1),
    counts: async (queue = '') => countsOf(await connection.run<Counts>(COUNTS, [queue])),
    async stats(queue) {
      const args = [queue, SPAN_SLOT, SPAN_SLOTS]
      const [now, paused, counts, score, minutes, spans] = await connection.run<StatsWire>(STATS, args)
      return {
        queue,
        paused: paused === 1,
        counts: countsOf(counts),
        oldestAvailable: score === '' ? undefined : waitedOf(Number(score), now),
        ...spansOf(spans),
        minutes: minutesOf(minutes, now),
      }
    },
  }
}

function countsOf([all, pending, scheduled, retryable, completed, cancelled, dead, running]: Counts): JobCounts {
  // Available is what is nowhere else: in lanes, too.
  const available = all - pending - scheduled - retryable - completed - cancelled - dead - running
  return { pending, scheduled, available, running, retryable, completed, cancelled, dead }
}

const MINUTE = 60_000
const MINUTES = 60

/** Pairs of a field (`29500000c` for completed ones of that minute, `f` for failed ones) and its number. */
function minutesOf(fields: readonly string[], now: number): QueueStats['minutes'] {
  const present = Math.floor(now / MINUTE)
  const minutes = new Map<number, { at: number; completed: number; failed: number }>()
  for (let at = 0; at < fields.length; at += 2) {
    const minute = Number.parseInt(fields[at]!, 10)
    if (minute >= present || minute < present - MINUTES) continue
    const entry = minutes.get(minute) ?? { at: minute * MINUTE, completed: 0, failed: 0 }
    entry[fields[at]!.endsWith('c') ? 'completed' : 'failed'] = Number(fields[at + 1])
    minutes.set(minute, entry)
  }
  return [...minutes.values()].sort((a, b) => a.at - b.at)
}
