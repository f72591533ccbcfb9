import { type JobsBackend, jobsMigrations } from '@tailwater/jobs'
import { createPostgresBackend } from '@tailwater/jobs/postgres'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createDatabase, createMigrator, type Database, tailwaterMigrations } from '@tailwater/postgres'
import { startTestPostgres } from '@tailwater/postgres/testing'
import { createRedis } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'

/** Where a process finds the jobs. */
export type StormPlace = { redis: string } | { postgres: string }

/** A server with nothing but the jobs of a storm. */
export interface StormStore {
  name: 'Redis' | 'PostgreSQL'
  place: StormPlace
  settings: string
  /** Bytes that it takes, memory or disk. */
  bytes(): Promise<number>
  close(): Promise<void>
}

const SCHEMA = 'tailwater'

/** One process's way to the jobs. */
export async function openStormPlace(place: StormPlace): Promise<{ backend: JobsBackend; close(): Promise<void> }> {
  if ('redis' in place) {
    const redis = createRedis({ url: place.redis })
    await redis.start()
    return { backend: createRedisBackend({ redis }), close: () => redis.stop() }
  }
  const database = createDatabase({ url: place.postgres, min: 1, max: 8 })
  await database.start()
  return { backend: createPostgresBackend({ database, schema: SCHEMA }), close: () => database.stop() }
}

/** Redis as most run it: the log is written once a second. */
export async function startStormRedis(): Promise<StormStore> {
  const server = await startRedis({ persist: true, args: ['--appendfsync', 'everysec'] })
  return {
    name: 'Redis',
    place: { redis: server.url },
    settings: 'Redis with appendfsync everysec',
    async bytes() {
      const reply = await server.ask('INFO memory')
      return Number(/used_memory:(\d+)/.exec(reply)?.[1])
    },
    close: () => server.stop(),
  }
}

/** PostgreSQL with the settings that it has by default. */
export async function startStormPostgres(): Promise<StormStore> {
  const server = await startTestPostgres()
  const database = createDatabase({ url: server.url, min: 1, max: 2, statementTimeout: 0 })
  await database.start()
  await createMigrator({ database, schema: SCHEMA, modules: [tailwaterMigrations, jobsMigrations] }).run()
  return {
    name: 'PostgreSQL',
    place: { postgres: server.url },
    settings: 'PostgreSQL 18, fsync and synchronous_commit on, autovacuum as it is by default',
    bytes: () => bytesOf(database),
    async close() {
      await database.stop()
      await server.close()
    },
  }
}

/** With indexes, and with rows that are dead and not vacuumed yet. */
async function bytesOf(database: Database): Promise<number> {
  const { rows } = await database.query<{ bytes: number }>(
    `SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class
     WHERE relnamespace = '${SCHEMA}'::regnamespace AND relname LIKE 'jobs%' AND relkind = 'r'`,
  )
  return rows[0]!.bytes
}
