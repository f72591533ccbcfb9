import { startRedis } from '@tailwater/redis/testing'
import type { BenchOptions } from '../../harness/bench.ts'
import { packageVersions } from '../../harness/machine.ts'
import type { Measured } from '../../harness/row.ts'
import { chosen, measureAll, type Part } from '../parts.ts'
import { loadBullMq } from './bull_queue.ts'
import { measureDepth } from './depth_row.ts'
import { measureEnqueue } from './enqueue_rows.ts'
import { measureFeatures } from './feature_rows.ts'
import { measureLatency } from './latency_row.ts'
import { measureProcess } from './process_rows.ts'
import type { RedisStage } from './redis_stage.ts'

export const redisParts: readonly Part<RedisStage>[] = [
  { name: 'enqueue-redis', measure: measureEnqueue },
  { name: 'process-redis', measure: measureProcess },
  { name: 'latency-redis', measure: measureLatency },
  { name: 'features-redis', measure: measureFeatures },
  { name: 'depth-redis', measure: measureDepth },
]

/** All rows of jobs on Redis, on one server that writes its log once a second, as BullMQ's documentation asks for. */
export async function measureRedis(
  options: BenchOptions,
): Promise<{ rows: Measured[]; versions: Record<string, string> }> {
  const server = await startRedis({ persist: true, args: ['--appendfsync', 'everysec'] })
  const stage: RedisStage = { server, options, bull: await loadBullMq() }
  try {
    const rows = await measureAll(chosen(redisParts, options), stage)
    const redis = /redis_version:(\S+)/.exec(await server.ask('INFO server'))?.[1] ?? 'unknown'
    const versions = { node: process.versions.node, redis, ...packageVersions(['@tailwater/jobs', 'ioredis'], '.') }
    return { rows, versions: { ...versions, ...packageVersions(['bullmq'], 'bench') } }
  } finally {
    await server.stop()
  }
}
