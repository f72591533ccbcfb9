import type { MessagingBackend } from '@tailwater/messaging'
import { createPostgresMessaging } from '@tailwater/messaging/postgres'
import { createRabbitMqBackend } from '@tailwater/messaging/rabbitmq'
import { createRedisMessaging } from '@tailwater/messaging/redis'
import { createDatabase } from '@tailwater/postgres'
import { createRedis } from '@tailwater/redis'

/** What carries messages; plain data, so that every process of a fault test can be told. */
export type MessageCarrier = { rabbitmq: readonly string[] } | { redis: string } | { database: string }

/** What a dead consumer held is given to others after this. */
const LEASE = '2s'

/** A backend of one process, with what it stands on: started, and stopped by `close`. */
export async function openMessageCarrier(
  carrier: MessageCarrier,
): Promise<{ backend: MessagingBackend; close(): Promise<void> }> {
  if ('rabbitmq' in carrier) {
    const backend = createRabbitMqBackend({ urls: carrier.rabbitmq, lazy: true })
    await backend.start()
    return { backend, close: () => backend.stop() }
  }
  const below =
    'redis' in carrier ? createRedis({ url: carrier.redis }) : createDatabase({ url: carrier.database, min: 1, max: 6 })
  await below.start()
  const backend =
    'query' in below
      ? createPostgresMessaging({ database: below, lease: LEASE })
      : createRedisMessaging({ redis: below, lease: LEASE })
  await backend.start()
  const close = async () => {
    await backend.stop()
    await below.stop()
  }
  return { backend, close }
}
