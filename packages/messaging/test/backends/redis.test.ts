import { createRedisBackend } from '@tailwater/jobs/redis'
import { createRedis, createRedisBus } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'
import { createRedisRouting } from '../../src/backends/redis/index.ts'
import { createJobsMessaging, type MessagingBackend } from '../../src/index.ts'
import { messagingBackendContract } from '../../src/testing/index.ts'
import { severable } from './severed.ts'

messagingBackendContract('Redis', {
  async ground() {
    const server = await startRedis()
    const redis = createRedis({ url: server.url, prefix: 'messaging' })
    await redis.start()
    const cuts = new Map<MessagingBackend, () => void>()
    return {
      async open() {
        const { store, sever } = severable(createRedisBackend({ redis }))
        const backend = createJobsMessaging({
          store,
          routing: createRedisRouting({ redis }),
          bus: createRedisBus({ redis }),
          lease: '1s',
          pollInterval: '100ms',
        })
        cuts.set(backend, sever)
        await backend.start()
        return backend
      },
      crash: async (backend) => cuts.get(backend)!(),
      async close() {
        await redis.stop()
        await server.stop()
      },
    }
  },
})
