import type { JobFilter } from '../../backend/inspect_port.ts'
import { isFinal, type JobRecord } from './record.ts'

/** Jobs whose payloads are searched for a text. */
const MAX_SEARCHED = 10_000

/** Jobs that a filter means, newest first. */
export function* matching(jobs: Iterable<JobRecord>, filter: JobFilter): Iterable<JobRecord> {
  let searched = 0
  for (const record of newestFirst([...jobs].filter((record) => fits(record, filter)))) {
    if (filter.text === undefined) yield record
    else if (++searched > MAX_SEARCHED) return
    else if (record.payload.includes(filter.text)) yield record
  }
}

function fits(record: JobRecord, { queue, kind, states, key, tag, from, to }: JobFilter): boolean {
  return (
    (queue === undefined || record.queue === queue) &&
    (kind === undefined || record.kind === kind) &&
    (states === undefined || states.includes(record.state)) &&
    (key === undefined || record.key === key) &&
    (tag === undefined || record.tags.includes(tag)) &&
    (from === undefined || record.enqueuedAt >= from) &&
    (to === undefined || record.enqueuedAt <= to)
  )
}

/** Whether a job stands before another in a list: enqueued later, or with the greater id at the same moment. */
export function isNewer(a: { enqueuedAt: number; id: string }, b: { enqueuedAt: number; id: string }): boolean {
  return a.enqueuedAt !== b.enqueuedAt ? a.enqueuedAt > b.enqueuedAt : a.id > b.id
}

const newestFirst = (records: JobRecord[]) => records.sort((a, b) => (isNewer(a, b) ? -1 : 1))

/** The moment from which the age of a job counts. */
export const ageStart = (record: JobRecord) =>
  isFinal(record.state) ? (record.finishedAt ?? record.enqueuedAt) : record.enqueuedAt
