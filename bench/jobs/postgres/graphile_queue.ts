import { payload, perSecond } from '../payload.ts'
import { countdown, measureStoring } from '../storing.ts'
import { type BenchQueue, freshSchema, type PostgresStage, untilNone } from './postgres_stage.ts'

/** What is used of graphile-worker, which is installed with the benchmarks only. */
export interface Graphile {
  makeWorkerUtils(options: object): Promise<GraphileUtils>
  run(options: object): Promise<{ stop(): Promise<void> }>
  Logger: new (factory: () => () => void) => object
}

interface GraphileUtils {
  migrate(): Promise<void>
  addJob(task: string, payload: object): Promise<unknown>
  addJobs(jobs: { identifier: string; payload: object }[]): Promise<unknown>
  release(): Promise<void>
}

/** Loads graphile-worker from the benchmarks' own packages. */
export async function loadGraphile(): Promise<Graphile> {
  const name: string = 'graphile-worker'
  return (await import(name)) as Graphile
}

/** A queue of graphile-worker in a schema of its own. */
export async function openGraphileQueue({ url, database, graphile }: PostgresStage) {
  const schema = freshSchema('graphile')
  const common = { connectionString: url, schema, maxPoolSize: 10, logger: new graphile.Logger(() => () => {}) }
  const utils = await graphile.makeWorkerUtils(common)
  await utils.migrate()
  const left = `SELECT count(*)::int AS left FROM ${schema}._private_jobs`

  async function fill(count: number, size: number): Promise<void> {
    for (let done = 0; done < count; done += size)
      await utils.addJobs(Array.from({ length: Math.min(size, count - done) }, () => ({ identifier: 'send', payload })))
  }

  async function check(wanted: number): Promise<void> {
    const { rows } = await database.query<{ left: number }>(left)
    if (rows[0]!.left !== wanted) throw new Error(`graphile-worker has ${rows[0]!.left} jobs instead of ${wanted}`)
  }

  /** Runs jobs, by default with its best settings for many. */
  const runner = (run: (payload: unknown) => Promise<void>, settings: object = {}) =>
    graphile.run({
      ...common,
      noHandleSignals: true,
      taskList: { send: run },
      preset: {
        worker: {
          connectionString: url,
          schema,
          concurrentJobs: 24,
          maxPoolSize: 10,
          localQueue: { size: 500 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
          ...settings,
        },
      },
    })

  const queue: BenchQueue = {
    ...measureStoring({ add: () => utils.addJob('send', payload), fill, check }),
    async process(count) {
      await fill(count, 2_000)
      const { over, down } = countdown(count)
      const began = performance.now()
      const worker = await runner(async () => down())
      await over
      await untilNone(database, left)
      const rate = perSecond(count, began)
      await worker.stop()
      return rate
    },
    async close() {
      await utils.release()
      await database.query(`DROP SCHEMA ${schema} CASCADE`)
    },
  }
  return { ...queue, runner, add: (data: object) => utils.addJob('send', data) }
}
