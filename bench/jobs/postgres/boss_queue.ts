import { payload, perSecond } from '../payload.ts'
import { countdown, measureStoring } from '../storing.ts'
import { type BenchQueue, freshSchema, type PostgresStage, untilNone } from './postgres_stage.ts'

/** What is used of pg-boss, which is installed with the benchmarks only. */
export interface Boss {
  PgBoss: new (options: object) => BossInstance
}

interface BossInstance {
  on(event: 'error', report: (error: Error) => void): unknown
  start(): Promise<unknown>
  stop(options: object): Promise<unknown>
  createQueue(name: string): Promise<unknown>
  send(name: string, data: object): Promise<unknown>
  insert(name: string, jobs: { data: object }[]): Promise<unknown>
  work(name: string, options: object, run: (jobs: { data: unknown }[]) => Promise<unknown>): Promise<unknown>
}

/** Loads pg-boss from the benchmarks' own packages. */
export async function loadBoss(): Promise<Boss> {
  const name: string = 'pg-boss'
  return (await import(name)) as Boss
}

/** A queue of pg-boss in a schema of its own. */
export async function openBossQueue({ url, database, boss: { PgBoss } }: PostgresStage): Promise<BenchQueue> {
  const schema = freshSchema('boss')
  const boss = new PgBoss({ connectionString: url, schema, max: 10 })
  boss.on('error', (error) => console.error('pg-boss', error.message))
  await boss.start()
  await boss.createQueue('mail')
  const left = `SELECT count(*)::int AS left FROM ${schema}.job WHERE state < 'completed' AND name = 'mail'`

  async function fill(count: number, size: number): Promise<void> {
    for (let done = 0; done < count; done += size)
      await boss.insert(
        'mail',
        Array.from({ length: Math.min(size, count - done) }, () => ({ data: payload })),
      )
  }

  async function check(wanted: number): Promise<void> {
    const { rows } = await database.query<{ left: number }>(left)
    if (rows[0]!.left !== wanted) throw new Error(`pg-boss has ${rows[0]!.left} jobs instead of ${wanted}`)
  }

  return {
    ...measureStoring({ add: () => boss.send('mail', payload), fill, check }),
    async process(count) {
      await fill(count, 2_000)
      const { over, down } = countdown(count)
      const options = { batchSize: 1_000, localConcurrency: 2, burstWhenBatchFull: true, pollingIntervalSeconds: 0.5 }
      const began = performance.now()
      await boss.work('mail', options, async (jobs) => down(jobs.length))
      await over
      await untilNone(database, left)
      return perSecond(count, began)
    },
    async close() {
      await boss.stop({ graceful: false })
      await database.query(`DROP SCHEMA ${schema} CASCADE`)
    },
  }
}
