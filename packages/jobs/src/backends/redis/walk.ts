import { wrongCursor } from '../../backend/cursor.ts'
import type { JobFilter } from '../../backend/inspect_port.ts'
import type { Job } from '../../job.ts'
import type { JobsConnection } from './connection.ts'
import { type JobRecord, jobOf } from './job_text.ts'
import { WALK } from './scripts/walk.ts'

/** A place in the order of being enqueued. */
export type Cursor = Pick<Job, 'enqueuedAt' | 'id'>

/** A way through one queue. */
export interface Walk {
  queue: string
  filter: JobFilter
  /** What comes first. */
  order: 'new' | 'old'
  after: Cursor | undefined
  /** Jobs to find. */
  limit: number
  /** A condition beside the filter. */
  fits?(job: Job): boolean
}

/** Jobs looked at in one script: a few milliseconds of the server's time. */
const STRETCH = 200
/** Jobs whose payloads are searched for a text. */
const MOST_SEARCHED = 10_000

/** Finds jobs of one queue, in the order of their being enqueued. Each stretch is read at once, the whole is not. */
export async function walk(connection: JobsConnection, way: Walk): Promise<Job[]> {
  const { queue, filter, order, limit, fits } = way
  const found: Job[] = []
  let searched = 0
  let [at, id] = way.after ? [String(way.after.enqueuedAt), way.after.id] : ['', '']
  do {
    const args = [queue, order, at, id, STRETCH, filter.states?.join(' ') ?? '', filter.key ?? '']
    const [nextAt, nextId, records] = await connection.run<[string, string, JobRecord[]]>(WALK, args)
    for (const record of records) {
      const job = jobOf(record)
      if (!fitsBesideText(job, filter) || fits?.(job) === false) continue
      if (filter.text !== undefined && ++searched > MOST_SEARCHED) return found
      if (filter.text === undefined || job.payload.includes(filter.text)) found.push(job)
      if (found.length === limit) return found
    }
    at = nextAt
    id = nextId
    if (order === 'new' && filter.from !== undefined && at !== '' && Number(at) < filter.from) break
  } while (at !== '')
  return found
}

function fitsBesideText(job: Job, { states, kind, key, tag, from, to }: JobFilter): boolean {
  return (
    (states === undefined || states.includes(job.state)) &&
    (kind === undefined || job.kind === kind) &&
    (key === undefined || job.key === key) &&
    (tag === undefined || job.tags.includes(tag)) &&
    (from === undefined || job.enqueuedAt >= from) &&
    (to === undefined || job.enqueuedAt <= to)
  )
}

/** Whether `a` was enqueued before `b`, so that it comes after it when the newest are first. */
export function isAfter(a: Cursor, b: Cursor): boolean {
  return a.enqueuedAt !== b.enqueuedAt ? a.enqueuedAt < b.enqueuedAt : a.id < b.id
}

/** Reads the cursor of a page. @throws E_OPTIONS */
export function cursorOf(text: string): Cursor {
  const [at, id = ''] = text.split(/:(.*)/s)
  if (at === '' || !Number.isFinite(Number(at))) throw wrongCursor(text)
  return { enqueuedAt: Number(at), id }
}
