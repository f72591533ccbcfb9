import { createDatabase } from '@tailwater/postgres'
import { startTestPostgres } from '@tailwater/postgres/testing'
import type { BenchOptions } from '../../harness/bench.ts'
import { packageVersions } from '../../harness/machine.ts'
import type { Measured } from '../../harness/row.ts'
import { chosen, measureAll, type Part } from '../parts.ts'
import { measureBloat } from './bloat_row.ts'
import { loadBoss } from './boss_queue.ts'
import { loadGraphile } from './graphile_queue.ts'
import { measureLatency } from './latency_row.ts'
import { measureDepth, measureFeatures } from './own_rows.ts'
import { measureEnqueue, measureProcess } from './peer_rows.ts'
import type { PostgresStage } from './postgres_stage.ts'

export const postgresParts: readonly Part<PostgresStage>[] = [
  { name: 'enqueue-pg', measure: measureEnqueue },
  { name: 'process-pg', measure: measureProcess },
  { name: 'latency-pg', measure: measureLatency },
  { name: 'features-pg', measure: measureFeatures },
  { name: 'depth-pg', measure: measureDepth },
  { name: 'bloat', measure: measureBloat, isExtra: true },
]

/** All rows of jobs on PostgreSQL, on one server that is as durable as it is by default. */
export async function measurePostgres(
  options: BenchOptions,
): Promise<{ rows: Measured[]; versions: Record<string, string> }> {
  const server = await startTestPostgres()
  const database = createDatabase({ url: server.url, min: 4, max: 10 })
  await database.start()
  const stage: PostgresStage = {
    url: server.url,
    database,
    options,
    boss: await loadBoss(),
    graphile: await loadGraphile(),
  }
  try {
    const rows = await measureAll(chosen(postgresParts, options), stage)
    const { rows: found } = await database.query<{ version: string }>(
      `SELECT current_setting('server_version') AS version`,
    )
    const own = {
      node: process.versions.node,
      postgresql: found[0]!.version,
      ...packageVersions(['@tailwater/jobs', 'pg'], '.'),
    }
    return { rows, versions: { ...own, ...packageVersions(['pg-boss', 'graphile-worker'], 'bench') } }
  } finally {
    await database.stop()
    await server.close()
  }
}
