import { type Cache, createCache } from '@tailwater/cache'
import { createRedisBackend } from '@tailwater/cache/redis'
import {
  createDatabase,
  createMigrator,
  createOutbox,
  createPostgresBus,
  type Database,
  tailwaterMigrations,
} from '@tailwater/postgres'
import { createRedis } from '@tailwater/redis'

/** Where a process finds what it shares with the others. */
export interface ShopPlaces {
  databaseUrl: string
  /** Without it values are in memory alone. */
  redisUrl: string | undefined
}

/** A process as `tailwater` wires it: the bus is PostgreSQL's, also where Redis is the far tier. */
export interface Shop {
  database: Database
  cache: Cache
  close(): Promise<void>
}

/** Milliseconds: a machine that stands still for a moment must not have the breaker opened. */
const FAR_TIMEOUT = 2_000

/** Opens one. */
export async function openShop({ databaseUrl, redisUrl }: ShopPlaces): Promise<Shop> {
  const database = createDatabase({ url: databaseUrl, min: 2, max: 12 })
  const outbox = createOutbox({ database })
  const bus = createPostgresBus({ outbox })
  const redis = redisUrl === undefined ? undefined : createRedis({ url: redisUrl })
  const cache = createCache({
    environment: 'production',
    ttl: '1h',
    bus,
    outbox,
    farTimeout: FAR_TIMEOUT,
    ...(redis && { far: createRedisBackend({ redis }) }),
  })
  const services = [database, ...(redis ? [redis] : []), outbox, bus, cache]
  for (const service of services) await service.start()
  return {
    database,
    cache,
    async close() {
      for (const service of services.reverse()) await service.stop()
    },
  }
}

/** Makes the tables, and a row for each article. */
export async function createArticles(databaseUrl: string, count: number): Promise<void> {
  const database = createDatabase({ url: databaseUrl })
  await database.start()
  await createMigrator({ database, modules: [tailwaterMigrations] }).run()
  await database.query('CREATE TABLE article (id int PRIMARY KEY, price int NOT NULL)')
  await database.query('INSERT INTO article SELECT id, 1 FROM generate_series(0, $1 - 1) AS id', [count])
  await database.stop()
}

/** The key of an article. */
export const articleKey = (id: number): string => `article:${id}`
