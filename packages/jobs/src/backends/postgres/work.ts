import { SPAN_SLOT, type Turn, type TurnReply, type WorkPort } from '../../backend/work_port.ts'
import type { JobEnd } from '../../job.ts'
import { arrayOf, arrayText } from './array_text.ts'
import type { Doorbell } from './doorbell.ts'
import { atOnce, type Ground } from './ground.ts'
import { claimedOf, type GivenRow } from './rows.ts'

/** Jobs of one turn at most: what a claim holds locked at a time. */
const MAX_CLAIM = 1_000

/** One thing that a turn has to say. */
interface TurnRow extends GivenRow {
  what: 'refused' | 'lost' | 'cancelled' | 'claimed' | 'buried' | 'next'
  /** When it became available, in seconds, and what breaks ties: the order of claims within a queue. */
  since: number
  seq: number
}

/** What workers do: a turn is one call of a function, so that it is one round trip and one transaction, also behind a transaction pooler. */
export function workPort({ database, schema, statement }: Ground, doorbell: Doorbell): WorkPort {
  const turn = statement(
    'turn',
    `SELECT * FROM ${schema}.jobs_turn_v2($1::text, $2::float8, $3::uuid[], $4::smallint[], $5::text[], $6::text[], $7::float8[], $8::text[], $9::integer[], $10::uuid[])`,
  )
  const report = statement(
    'report',
    `SELECT ${schema}.jobs_report_v1($1::text, $2::uuid[], $3::text[], $4::uuid[], $5::text[])::text`,
  )
  // jobs_spans_pkey; in the order of the key, so that two processes do not deadlock.
  const observe = statement(
    'observe',
    `INSERT INTO ${schema}.jobs_spans AS s (queue, slot, of_runs, bucket, jobs)
       SELECT queue, to_timestamp(floor(extract(epoch FROM ${schema}.now()) / ${SPAN_SLOT / 1_000}) * ${SPAN_SLOT / 1_000}), of_runs, bucket, sum(jobs)
       FROM unnest($1::text::text[], $2::text::boolean[], $3::text::smallint[], $4::text::bigint[]) AS t (queue, of_runs, bucket, jobs)
       GROUP BY queue, of_runs, bucket ORDER BY queue, of_runs, bucket
     ON CONFLICT (queue, slot, of_runs, bucket) DO UPDATE SET jobs = s.jobs + excluded.jobs`,
  )
  const leave = statement('leave', `SELECT unnest(${schema}.jobs_leave_v1($1::text)) AS queue`)

  return {
    maxClaim: MAX_CLAIM,
    async turn(said) {
      const { rows } = await atOnce(() => database.query<TurnRow>(turn, turnValues(said)))
      return replyOf(rows)
    },
    async report(worker, reports) {
      const lines = reports.flatMap(({ id, logs = [] }) => logs.map((line) => ({ id, line })))
      const values = [
        arrayText(reports.map(({ id }) => id)),
        arrayText(reports.map(({ progress }) => progress)),
        arrayText(lines.map(({ id }) => id)),
        arrayText(lines.map(({ line }) => line)),
      ]
      await atOnce(() => database.query(report, [worker, ...values]))
    },
    async observe(spans) {
      const counts = spans.flatMap(({ queue, waits, runs }) => [
        ...waits.map(([bucket, jobs]) => ({ queue, ofRuns: false, bucket, jobs })),
        ...runs.map(([bucket, jobs]) => ({ queue, ofRuns: true, bucket, jobs })),
      ])
      const values = [
        arrayOf(counts, ({ queue }) => queue),
        arrayOf(counts, ({ ofRuns }) => ofRuns),
        arrayOf(counts, ({ bucket }) => bucket),
        arrayOf(counts, ({ jobs }) => jobs),
      ]
      if (counts.length > 0) await atOnce(() => database.query(observe, values))
    },
    async leave(worker) {
      const { rows } = await atOnce(() => database.query<{ queue: string }>(leave, [worker]))
      doorbell.ring(rows.map(({ queue }) => queue))
    },
  }
}

function turnValues({ worker, lease, ends, wants, reconcile }: Turn): unknown[] {
  const isPlain = ends.every((end) => end.outcome === 'completed')
  return [
    worker,
    lease,
    arrayOf(ends, ({ id }) => id),
    arrayOf(ends, ({ attempt }) => attempt),
    isPlain ? null : arrayOf(ends, ({ outcome }) => outcome),
    arrayOf(ends, noteOf),
    isPlain ? null : arrayOf(ends, (end) => ('delay' in end ? end.delay : undefined)),
    arrayOf(wants, ({ queue }) => queue) ?? '{}',
    arrayOf(wants, ({ count }) => Math.min(count, MAX_CLAIM)) ?? '{}',
    reconcile ? (arrayText(reconcile) ?? '{}') : null,
  ]
}

function noteOf(end: JobEnd): string | undefined {
  if (end.outcome === 'completed') return end.result
  return end.outcome === 'snoozed' ? undefined : end.error
}

function replyOf(rows: readonly TurnRow[]): TurnReply {
  const reply: TurnReply = { claimed: [], refused: [], lost: [], cancelled: [], nextIn: undefined, buried: [] }
  for (const row of inOrder(rows)) {
    if (row.what === 'claimed' || row.what === 'buried') reply[row.what].push(claimedOf(row))
    else if (row.what === 'next') reply.nextIn = row.waited ?? undefined
    else reply[row.what].push(row.id)
  }
  return reply
}

/** The server gives the jobs of a queue as they lie in its table: to sort the rows here is cheaper than to have them copied there once more. */
function inOrder(rows: readonly TurnRow[]): TurnRow[] {
  const places = new Map<string, number>()
  for (const { queue } of rows) if (!places.has(queue)) places.set(queue, places.size)
  return rows.toSorted((a, b) => {
    if (a.queue !== b.queue) return places.get(a.queue)! - places.get(b.queue)!
    return a.priority - b.priority || a.since - b.since || a.seq - b.seq
  })
}
