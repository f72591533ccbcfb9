import { createJobs, jobsMigrations, type QueueOptions, type RunningJob } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createMigrator, tailwaterMigrations } from '@tailwater/postgres'
import { payload, perSecond } from '../payload.ts'
import { countdown, measureStoring } from '../storing.ts'
import { type BenchQueue, freshSchema, type PostgresStage } from './postgres_stage.ts'

/** Handlers at once where nothing else is said: what two turns claim, as many as the peers hold at a time. */
const CONCURRENCY = 1_000

/** What a job of the benchmarks carries. */
export type BenchPayload = typeof payload & { sentAt?: number }

/** A queue of ours in a schema of its own. */
export async function openOurQueue(
  { database }: PostgresStage,
  { limits = {}, keeps = true }: { limits?: QueueOptions['limits']; keeps?: boolean } = {},
) {
  const schema = freshSchema('ours')
  await database.query(`CREATE SCHEMA ${schema}`)
  await createMigrator({ database, schema, modules: [tailwaterMigrations, jobsMigrations] }).run()
  const backend = createPostgresBackend({ database, schema })

  /** An engine that runs jobs, or with a concurrency of 0 only stores them. */
  function engine(concurrency: number, run: (job: RunningJob<BenchPayload>) => Promise<unknown>) {
    const retention = keeps ? {} : { completed: { age: '7d' as const, count: 0 } }
    const jobs = createJobs({ backend, queues: { mail: { concurrency, limits, retention } } })
    return { jobs, kind: jobs.define<BenchPayload>({ kind: 'send', queue: 'mail', run }) }
  }

  const { jobs, kind } = engine(0, async () => {})

  /** @param keys how many keys the jobs carry in turn; 0 for none */
  async function fill(count: number, size = 2_000, keys = 0): Promise<void> {
    for (let done = 0; done < count; done += size)
      await jobs.enqueueMany(
        Array.from({ length: Math.min(size, count - done) }, (_, at) => ({
          kind: 'send',
          payload,
          ...(keys > 0 && { options: { key: `tenant-${(done + at) % keys}` } }),
        })),
      )
  }

  async function check(state: 'available' | 'running', wanted: number): Promise<void> {
    const counts = await jobs.counts('mail')
    if (counts[state] !== wanted) throw new Error(`ours has ${counts[state]} jobs ${state} instead of ${wanted}`)
  }

  const queue: BenchQueue = {
    ...measureStoring({ add: () => kind.enqueue(payload), fill, check: (count) => check('available', count) }),
    process: (count) => process(count),
    close: () => database.query(`DROP SCHEMA ${schema} CASCADE`),
  }

  async function process(count: number, keys = 0, concurrency = CONCURRENCY): Promise<number> {
    await fill(count, 2_000, keys)
    const { over, down } = countdown(count)
    const worker = engine(concurrency, async () => down()).jobs
    const began = performance.now()
    await worker.start()
    await over
    while ((await jobs.counts('mail')).running > 0);
    const rate = perSecond(count, began)
    await worker.stop()
    await check('available', 0)
    return rate
  }

  return { ...queue, process, backend, schema, engine, kind, fill }
}
