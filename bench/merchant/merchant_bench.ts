import type { Bench, BenchOptions } from '../harness/bench.ts'
import { packageVersions } from '../harness/machine.ts'
import { dataFolder } from '../harness/project.ts'
import type { Measured } from '../harness/row.ts'
import type { ServerProcess } from '../harness/server_process.ts'
import { LoadGenerator } from '../load/load_generator.ts'
import { type BenchDatabase, openBenchDatabase } from './bench_database.ts'
import { measureCached, measureUncached } from './list_rows.ts'
import { startNaive } from './naive_server.ts'
import { startOurs } from './our_server.ts'
import { measurePage } from './page_rows.ts'

/** Everything that is up while the merchant is measured. */
export interface MerchantStage {
  database: BenchDatabase
  ours: ServerProcess
  naive: ServerProcess
  load: LoadGenerator
  options: BenchOptions
}

/** `bench merchant`: the product list against a naive version of it, without and with what is kept, and its page 1,000 against its page 1. */
export const merchantBench: Bench = {
  name: 'merchant',
  async run(options) {
    const database = await openBenchDatabase(options.size, options.say)
    try {
      const rows = await onStage(database, options)
      const versions = {
        node: process.versions.node,
        postgresql: database.version,
        ...packageVersions(['fastify', 'tailwater'], '.'),
        ...packageVersions(['express', 'pg'], 'bench'),
      }
      return { rows, versions }
    } finally {
      await database.stop()
    }
  },
}

async function onStage(database: BenchDatabase, options: BenchOptions): Promise<Measured[]> {
  const ours = await startOurs(database).catch((error: Error) => {
    throw new Error(`${error.message}\nIf the data is of another version of the tables, remove ${dataFolder}`)
  })
  const naive = await startNaive(database.url)
  const load = new LoadGenerator()
  const stage = { database, ours, naive, load, options }
  try {
    const rows = [...(await measureUncached(stage)), ...(await measureCached(stage)), ...(await measurePage(stage))]
    await ours.stop()
    await naive.stop()
    return rows
  } finally {
    load.close()
    ours.kill()
    naive.kill()
  }
}
