import type { SqlExecutor } from '@tailwater/postgres'
import type { EnqueuePort, Stored } from '../../backend/enqueue_port.ts'
import type { NewJob } from '../../job.ts'
import { arrayOf, arrayText } from './array_text.ts'
import type { Doorbell } from './doorbell.ts'
import { atOnce, type Ground } from './ground.ts'

/** Jobs of one statement: some hundred kilobytes, and a transaction of a few tens of milliseconds. */
const MAX_BATCH = 2_000

/** What our own transactions offer beyond the least that is asked of a user's. */
interface AfterCommit {
  afterCommit?(task: () => void): void
}

/** A job of a tree on its own, with its place in the batch. */
interface FlatJob {
  job: NewJob
  parent: string | undefined
  /** Place of the job at the top of its tree, from 1; undefined for that job itself. */
  root: number | undefined
}

/** How jobs come in: one statement for a batch, in the caller's transaction or alone. */
export function enqueuePort(ground: Ground, doorbell: Doorbell): EnqueuePort {
  const { database, statement, schema } = ground
  const add = statement(
    'add',
    `SELECT place::text, job_id::text, outcome FROM ${schema}.jobs_add_v1($1::text::uuid[], $2::text::text[], $3::text::text[], $4::text::text[],
       $5::text::smallint[], $6::text::smallint[], $7::text::float8[], $8::text::float8[], $9::text::text[], $10::text::bigint[], $11::text::text[],
       $12::text::text[], $13::text::text[], $14::text::uuid[], $15::text::boolean[], $16::text::boolean[], $17::text::integer[], $18::text::text[],
       $19::text::float8[], $20::text::boolean[])`,
  )

  return {
    maxBatch: MAX_BATCH,
    async add(jobs, tx?: SqlExecutor & AfterCommit) {
      if (jobs.length === 0) return []
      const flat = flatten(jobs)
      const values = valuesOf(flat)
      const { rows } = tx
        ? await tx.query(add.text, values)
        : await atOnce(() => database.query<{ place: string; job_id: string; outcome: Stored['outcome'] }>(add, values))
      const queues = flat
        .filter(({ job }) => job.delay === undefined && job.runAt === undefined)
        .map(({ job }) => job.queue)
      if (!tx) doorbell.ring(queues)
      else tx.afterCommit?.(() => doorbell.ring(queues))
      return storedOf(jobs, flat, rows)
    },
    onAvailable: (wake) => doorbell.listen(wake),
  }
}

/** Parents before what is below them. */
function flatten(jobs: readonly NewJob[]): FlatJob[] {
  const flat: FlatJob[] = []
  const put = (job: NewJob, parent: string | undefined, root: number | undefined) => {
    flat.push({ job, parent, root })
    const top = root ?? flat.length
    for (const child of job.children ?? []) put(child, job.id, top)
  }
  for (const job of jobs) put(job, undefined, undefined)
  return flat
}

function valuesOf(flat: readonly FlatJob[]): (string | null)[] {
  const column = (read: (job: NewJob, flat: FlatJob) => string | number | boolean | undefined) =>
    arrayOf(flat, (one) => read(one.job, one))
  const unique = (read: (unique: NonNullable<NewJob['unique']>) => string | number | boolean | undefined) =>
    column((job, { parent }) => (job.unique && parent === undefined ? read(job.unique) : undefined))
  return [
    column((job) => job.id),
    column((job) => job.queue),
    column((job) => job.kind),
    column((job) => job.payload),
    column((job) => job.priority),
    column((job) => job.maxAttempts),
    column((job) => job.delay),
    column((job) => job.runAt),
    column((job) => job.key),
    column((job) => job.timeout),
    column((job) => (job.tags?.length ? arrayText(job.tags)! : undefined)),
    column((job) => job.requestId),
    column((job) => job.traceparent),
    column((_, { parent }) => parent),
    column((job) => (job.children?.length ? true : undefined)),
    column((job) => (job.onChildFailure === 'ignore' ? false : undefined)),
    column((_, { root }) => root),
    unique(({ key }) => key),
    unique(({ ttl }) => ttl),
    unique(({ replace }) => replace),
  ]
}

/** Rows tell only of jobs that were not stored, by their place among all. */
function storedOf(
  jobs: readonly NewJob[],
  flat: readonly FlatJob[],
  rows: readonly { place: string; job_id: string; outcome: Stored['outcome'] }[],
): Stored[] {
  const others = new Map(rows.map((row) => [flat[Number(row.place) - 1]!.job, row]))
  return jobs.map((job) => {
    const other = others.get(job)
    return other ? { id: other.job_id, outcome: other.outcome } : { id: job.id, outcome: 'stored' }
  })
}
