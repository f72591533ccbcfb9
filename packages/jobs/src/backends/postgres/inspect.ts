import { isUuid } from '@tailwater/core'
import type { InspectPort, JobCounts } from '../../backend/inspect_port.ts'
import { SPAN_SLOT, SPAN_SLOTS } from '../../backend/work_port.ts'
import { percentilesOf } from '../../histogram.ts'
import { jobStates } from '../../job.ts'
import type { Ground } from './ground.ts'
import { listJobs } from './list.ts'
import { endedColumns, type JobRow, jobOf, liveColumns } from './rows.ts'

/** What can be seen. Counts are sums over the tally, never over jobs. */
export function inspectPort(ground: Ground): InspectPort {
  const { database } = ground
  const sql = inspectSql(ground)
  const counts = async (queue: string | undefined) => {
    const { rows } = await database.query<{ state: keyof JobCounts; jobs: number }>(sql.counts, [queue ?? null])
    return countsOf(rows)
  }
  return {
    async get(id) {
      if (!isUuid(id)) return undefined
      const { rows } = await database.query<JobRow>(sql.get, [id])
      return rows[0] && jobOf(rows[0])
    },
    async children(id) {
      if (!isUuid(id)) return []
      const { rows } = await database.query<JobRow>(sql.children, [id])
      return rows.map(jobOf)
    },
    async logs(id) {
      if (!isUuid(id)) return []
      const { rows } = await database.query<{ line: string }>(sql.logs, [id])
      return rows.map(({ line }) => line).reverse()
    },
    list: (filter, page) => listJobs(ground, filter, page),
    counts,
    async queues() {
      const { rows } = await database.query<{ name: string }>(sql.queues)
      return rows.map(({ name }) => name).sort()
    },
    async stats(queue) {
      const { rows } = await database.query<{ paused: boolean; oldest: number | null }>(sql.state, [queue])
      const { rows: minutes } = await database.query<{ at: number; completed: number; failed: number }>(sql.minutes, [
        queue,
      ])
      const { rows: spans } = await database.query<{ ofRuns: boolean; bucket: number; jobs: number }>(sql.spans, [
        queue,
      ])
      return {
        queue,
        paused: rows[0]!.paused,
        counts: await counts(queue),
        oldestAvailable: rows[0]!.oldest ?? undefined,
        wait: percentilesOf(spans.flatMap(({ ofRuns, bucket, jobs }) => (ofRuns ? [] : [[bucket, jobs] as const]))),
        run: percentilesOf(spans.flatMap(({ ofRuns, bucket, jobs }) => (ofRuns ? [[bucket, jobs] as const] : []))),
        minutes,
      }
    },
  }
}

function countsOf(rows: readonly { state: keyof JobCounts; jobs: number }[]): JobCounts {
  const none = Object.fromEntries(jobStates.map((state) => [state, 0])) as JobCounts
  return { ...none, ...Object.fromEntries(rows.map(({ state, jobs }) => [state, jobs])) }
}

function inspectSql({ schema, statement }: Ground) {
  return {
    // jobs_live_pkey, jobs_ended_pkey
    get: statement(
      'get',
      `SELECT ${liveColumns(schema)} FROM ${schema}.jobs_live WHERE id = $1 UNION ALL SELECT ${endedColumns(schema)} FROM ${schema}.jobs_ended WHERE id = $1`,
    ),
    // jobs_ended_children
    children: statement(
      'children',
      `SELECT ${endedColumns(schema)} FROM ${schema}.jobs_ended WHERE parent_id = $1 ORDER BY id`,
    ),
    // jobs_logs_pkey
    logs: statement('logs', `SELECT line FROM ${schema}.jobs_logs WHERE job_id = $1 ORDER BY id DESC LIMIT 1000`),
    // The tally is small: jobs_sum_up_v1 sees to it.
    counts: statement(
      'counts',
      `SELECT state::text, sum(jobs)::bigint AS jobs FROM ${schema}.jobs_tally WHERE $1::text IS NULL OR queue = $1 GROUP BY state`,
    ),
    queues: statement(
      'queues',
      `SELECT queue AS name FROM ${schema}.jobs_tally GROUP BY queue HAVING sum(jobs) > 0 UNION SELECT name FROM ${schema}.jobs_queues`,
    ),
    // jobs_queues_pkey, jobs_live_ready
    state: statement(
      'state',
      `SELECT coalesce((SELECT paused FROM ${schema}.jobs_queues WHERE name = $1), false) AS paused,
         (SELECT greatest(0, extract(epoch FROM ${schema}.now() - run_at) * 1000)::float8 FROM ${schema}.jobs_live
          WHERE queue = $1 AND state = 'available' ORDER BY priority, ready_at, seq LIMIT 1) AS oldest`,
    ),
    // jobs_spans_pkey
    spans: statement(
      'spans',
      `SELECT of_runs AS "ofRuns", bucket, sum(jobs)::float8 AS jobs FROM ${schema}.jobs_spans
       WHERE queue = $1 AND slot >= ${schema}.now() - interval '${((SPAN_SLOTS + 1) * SPAN_SLOT) / 60_000} minutes' GROUP BY of_runs, bucket`,
    ),
    // jobs_minutes_queue
    minutes: statement(
      'minutes',
      `SELECT (extract(epoch FROM minute) * 1000)::float8 AS at, sum(completed)::bigint AS completed, sum(failed)::bigint AS failed FROM ${schema}.jobs_minutes
       WHERE queue = $1 AND minute > ${schema}.now() - interval '61 minutes' AND minute <= ${schema}.now() - interval '1 minute' GROUP BY minute ORDER BY minute`,
    ),
  }
}
