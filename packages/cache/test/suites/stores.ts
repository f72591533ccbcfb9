import { tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'
import { createRedis } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'
import type { FarBackend } from '../../src/far/far_backend.ts'
import { createMemoryBackend } from '../../src/far/memory_backend.ts'
import { cacheMigrations, createPostgresBackend } from '../../src/far/postgres/index.ts'
import { createRedisBackend } from '../../src/far/redis/index.ts'

/** A backend with a store of its own. */
export interface OpenStore {
  far: FarBackend
  close(): Promise<void>
}

/** Every backend, by name. */
export const stores: Record<string, () => Promise<OpenStore>> = {
  memory: async () => ({ far: createMemoryBackend(), close: async () => {} }),
  async redis() {
    const server = await startRedis()
    const redis = createRedis({ url: server.url })
    await redis.start()
    const close = () => redis.stop().then(() => server.stop())
    return { far: createRedisBackend({ redis }), close }
  },
  async postgres() {
    const { database, schema, close } = await createTestSchema({ modules: [tailwaterMigrations, cacheMigrations] })
    return { far: createPostgresBackend({ database, schema }), close }
  },
}
