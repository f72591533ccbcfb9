import type { JobsBackend } from '@tailwater/jobs'
import { createDatabase } from '@tailwater/postgres'
import { createRedis, type Redis, type RedisOptions } from '@tailwater/redis'
import { type JobsPackage, thisVersion } from './jobs_package.ts'

/** Where jobs are kept; plain data, so that every process of a fault test can be told. */
export type JobStore = { redis: RedisOptions; replicas?: number } | { database: string; schema: string }

/** A way to the store of one process. */
export interface OpenJobStore {
  backend: JobsBackend
  /** The connection, where the store is Redis. */
  redis: Redis | undefined
  close(): Promise<void>
}

/** A machine that is busy with faults is slow. */
const PATIENCE = '20s'

/** Connects to a store; the backend is for an engine to start. */
export async function openJobStore(
  store: JobStore,
  { createPostgresBackend, createRedisBackend }: JobsPackage = thisVersion,
): Promise<OpenJobStore> {
  if ('redis' in store) {
    const redis = createRedis({ connectTimeout: PATIENCE, ...store.redis })
    await redis.start()
    const { replicas = 0 } = store
    return { backend: createRedisBackend({ redis, replicas }), redis, close: () => redis.stop() }
  }
  const { schema } = store
  const database = createDatabase({
    url: store.database,
    min: 1,
    max: 6,
    connectTimeout: PATIENCE,
    acquireTimeout: PATIENCE,
  })
  await database.start()
  return { backend: createPostgresBackend({ database, schema }), redis: undefined, close: () => database.stop() }
}
