import { after, before } from 'node:test'
import { cacheMigrations, createPostgresBackend } from '@tailwater/cache/postgres'
import { createRedisBackend } from '@tailwater/cache/redis'
import { createFarResponseStore } from '@tailwater/http/cache-store'
import { responseStoreContract } from '@tailwater/http/testing'
import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema, passTestTime, setTestTime, type TestSchema } from '@tailwater/postgres/testing'
import { createRedis, type Redis } from '@tailwater/redis'
import { passTime, startRedis, type TestRedis } from '@tailwater/redis/testing'

/** As long as a busy machine may take: how soon a store is given up is no part of the contract. */
const timeout = '10s'

let server: TestRedis
let redis: Redis
let ground: TestSchema
before(async () => {
  server = await startRedis()
  redis = createRedis({ url: server.url })
  await redis.start()
  ground = await createTestSchema({ modules: [tailwaterMigrations, cacheMigrations] })
})
after(async () => {
  await redis.stop()
  await server.stop()
  await ground.close()
})

responseStoreContract('a far tier in Redis', async () => {
  await server.ask('FLUSHALL')
  const backend = createRedisBackend({ redis })
  await backend.start()
  return {
    store: createFarResponseStore({ backend, timeout }),
    pass: (ms) => passTime([server], ms),
    close: () => backend.stop(),
  }
})

responseStoreContract('a far tier in PostgreSQL', async () => {
  const { database, schema } = ground
  await database.query(`TRUNCATE ${schema}.cache_entries, ${schema}.cache_tags, ${schema}.cache_state`)
  await setTestTime(database, schema)
  const backend = createPostgresBackend({ database, schema })
  await backend.start()
  return {
    store: createFarResponseStore({ backend, timeout }),
    pass: (ms) => passTestTime(database, schema, ms),
    close: () => backend.stop(),
  }
})
