import { isUuid } from '@tailwater/core'
import { wrongCursor } from '../../backend/cursor.ts'
import type { JobFilter, JobPage } from '../../backend/inspect_port.ts'
import { type Job, jobStates } from '../../job.ts'
import { type Conditions, conditionsOf } from './filter.ts'
import type { Ground } from './ground.ts'
import { endedColumns, type JobRow, jobOf, liveColumns } from './rows.ts'

/** Jobs that are looked at in one step; beyond its number of rows no step of a plan goes. */
const WINDOW = 10_000
/** Such steps for one page; then it is given as it is, with a cursor to go on from. */
const WINDOWS = 20
/** Greater than any id. */
const END = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** Jobs of one table that may be meant, and which of them are. */
interface Side {
  table: 'jobs_live' | 'jobs_ended'
  columns: string
  /** Rows in the order of an index; a window is cut from them. */
  source: string
  condition: string
}

/**
 * Jobs newest first, which is the order of ids.
 *
 * No index knows all that can be asked for, and every index would make each job dearer. So jobs are looked at in windows along an index of ids (of all jobs,
 * of those with the key, of those that failed), and a search over millions ends with what it has found and a place to go on from.
 */
export async function listJobs(
  ground: Ground,
  filter: JobFilter,
  page: { cursor?: string; limit: number },
): Promise<JobPage> {
  const conditions = conditionsOf(filter, 3)
  const sides = sidesOf(ground.schema, filter, conditions)
  const jobs: Job[] = []
  let cursor = page.cursor ?? END
  if (!isUuid(cursor)) throw wrongCursor(cursor)
  for (let step = 0; sides.length > 0; step++) {
    if (step === (filter.text === undefined ? WINDOWS : 1)) return { jobs, next: cursor }
    const seen = await look(ground, sides, conditions, cursor, page.limit + 1 - jobs.length)
    jobs.push(...seen.jobs)
    if (jobs.length > page.limit) return { jobs: jobs.slice(0, page.limit), next: jobs[page.limit - 1]!.id }
    if (seen.end === undefined) break
    cursor = seen.end
  }
  return { jobs, next: undefined }
}

function sidesOf(schema: string, filter: JobFilter, { live, ended, rest }: Conditions): Side[] {
  const ofKey = filter.key === undefined ? undefined : 'key = $3::text'
  const isRunning = filter.states?.every((state) => state === 'running') && filter.states.length > 0
  const hasFailed = ended && !(filter.states ?? jobStates).includes('completed')
  const sides: Side[] = []
  if (live)
    sides.push({
      table: 'jobs_live',
      columns: liveColumns(schema),
      // As many run as workers have room for.
      source: isRunning
        ? `(SELECT * FROM ${schema}.jobs_live WHERE state = 'running' OFFSET 0) AS running WHERE true`
        : `${schema}.jobs_live WHERE ${ofKey ?? 'true'}`,
      condition: `${live} AND ${rest}`,
    })
  if (ended)
    sides.push({
      table: 'jobs_ended',
      columns: endedColumns(schema),
      source: `${schema}.jobs_ended WHERE ${ofKey ?? (hasFailed ? "state <> 'completed'" : 'true')}`,
      condition: `${ended} AND ${rest}`,
    })
  return sides
}

/** One window of each table. `end` is where the nearer one ends; undefined if there is nothing behind them. */
async function look(
  { database, statement }: Ground,
  sides: readonly Side[],
  { values, mark }: Conditions,
  cursor: string,
  count: number,
): Promise<{ jobs: Job[]; end: string | undefined }> {
  // jobs_live_pkey, jobs_live_running, jobs_live_key; jobs_ended_pkey, jobs_ended_failed, jobs_ended_key. Read only as far as it takes to find enough.
  const found = sides.map(
    ({ table, columns, source, condition }) => `(SELECT ${columns}, id AS place FROM (
       SELECT * FROM ${source} AND id < $1::uuid ORDER BY id DESC LIMIT ${WINDOW}) AS ${table} WHERE ${condition} ORDER BY id DESC LIMIT $2)`,
  )
  // The same indexes.
  const ends = sides.map(
    ({ source }) => `(SELECT id FROM ${source} AND id < $1::uuid ORDER BY id DESC OFFSET ${WINDOW - 1} LIMIT 1)`,
  )
  const keyed = ends.some((end) => end.includes('$3')) ? ' AND $2::integer > 0' : ''
  return database.transaction(async (tx) => {
    // To read all and sort it may seem as good for a table that has grown since it was analysed.
    await tx.query(
      `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)`,
    )
    const { rows } = await tx.query<JobRow>(
      statement(`list_${mark}`, `SELECT * FROM (${found.join(' UNION ALL ')}) AS found ORDER BY place DESC LIMIT $2`),
      [cursor, count, ...values],
    )
    const jobs = rows.map(jobOf)
    if (jobs.length === count) return { jobs, end: undefined }
    const { rows: windows } = await tx.query<{ id: string }>(
      statement(
        `end_${mark}`,
        `SELECT id::text FROM (${ends.join(' UNION ALL ')}) AS ends WHERE true${keyed} ORDER BY ends.id DESC LIMIT 1`,
      ),
      keyed ? [cursor, count, values[0]] : [cursor],
    )
    const end = windows[0]?.id
    return { jobs: end === undefined ? jobs : jobs.filter(({ id }) => id >= end), end }
  })
}
