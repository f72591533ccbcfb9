// A process that relays jobs from the outbox to Redis and never notes that it has: it says `relayed`, and lives until it is killed. Arguments: PostgreSQL, schema, Redis, prefix.
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createDatabase, createOutbox } from '@tailwater/postgres'
import { createRedis } from '@tailwater/redis'

const [databaseUrl, schema, redisUrl, prefix] = process.argv.slice(2) as [string, string, string, string]
const database = createDatabase({ url: databaseUrl, min: 1, max: 4 })
const redis = createRedis({ url: redisUrl, prefix })
const outbox = createOutbox({ database, schema, leaseTtl: '1s' })
const backend = createRedisBackend({
  redis,
  outbox: {
    ...outbox,
    consumer: (name, handler, options) =>
      outbox.consumer(
        name,
        async (messages, context) => {
          await handler(messages, context)
          process.stdout.write('relayed\n')
          await new Promise(() => {})
        },
        options,
      ),
  },
})
for (const service of [database, redis, outbox, backend]) await service.start()
process.stdout.write('started\n')
