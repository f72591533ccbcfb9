import { formatNumber } from '../../harness/report.ts'
import type { Measured } from '../../harness/row.ts'
import { openOurQueue } from './our_queue.ts'
import { type PostgresStage, sized } from './postgres_stage.ts'

const JOBS = 5_000_000
/** Jobs that wait at most at a time. */
const BACKLOG = 100_000

/** Measures `jobs bloat`: how large the table of what has not ended is after five million jobs have gone through it, and what counting then costs. */
export async function measureBloat(stage: PostgresStage): Promise<Measured[]> {
  const total = stage.options.amount ?? sized(stage, JOBS)
  const queue = await openOurQueue(stage)
  const sizes: number[] = []
  const rates: number[] = []
  for (let done = 0; done < total; done += BACKLOG) {
    rates.push(await queue.process(BACKLOG))
    await queue.backend.maintain.sweep()
    sizes.push(await megabytes(stage, `${queue.schema}.jobs_live`))
    if (sizes.length % 5 === 0)
      stage.options.say(
        `${formatNumber(done + BACKLOG)} ended: ${formatNumber(sizes.at(-1)!)} MB, ${formatNumber(rates.at(-1)!)} jobs/s`,
      )
  }
  const began = performance.now()
  const counts = await queue.backend.inspect.counts('mail')
  stage.options.say(
    `counting ${formatNumber(counts.completed)} ended jobs: ${formatNumber(performance.now() - began)} ms`,
  )
  if (counts.completed !== sizes.length * BACKLOG) throw new Error(`${counts.completed} are counted`)
  await queue.close()
  return [
    {
      row: {
        row: 'jobs bloat',
        peer: 'itself',
        metric: `jobs/s with ${formatNumber(total)} ended against the first ${formatNumber(BACKLOG)}`,
        unit: 'jobs/s',
        better: 'higher',
        ours: rates.slice(-3),
        theirs: rates.slice(0, 3),
        settings: {
          ours: `jobs_live with its indexes: ${formatNumber(Math.max(...sizes.slice(-10)))} MB at most in the last tenth`,
          theirs: `${formatNumber(sizes[0]!)} MB after the first`,
        },
        checked: 'the count of ended jobs',
      },
      target: { kind: 'ratio', atLeast: 0.8 },
    },
  ]
}

async function megabytes({ database }: PostgresStage, table: string): Promise<number> {
  const { rows } = await database.query<{ bytes: number }>(`SELECT pg_total_relation_size('${table}') AS bytes`)
  return rows[0]!.bytes / 2 ** 20
}
