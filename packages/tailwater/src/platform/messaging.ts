import { createMemoryMessaging, createMessaging, type Messaging, type MessagingBackend } from '@tailwater/messaging'
import { createPostgresMessaging } from '@tailwater/messaging/postgres'
import { createRabbitMqBackend } from '@tailwater/messaging/rabbitmq'
import { createRedisMessaging } from '@tailwater/messaging/redis'
import type { ResolvedConfig } from '../config.ts'
import type { Ground } from './ground.ts'

/** The messages of the platform: in transactions, and with an inbox in the database, whatever carries them. */
export function openMessaging(config: ResolvedConfig, ground: Ground): Messaging {
  const { schema, clock } = config
  const { database, outbox } = ground
  const { redact, maxBody } = config.messaging
  return createMessaging({ backend: openCarrier(config, ground), database, schema, outbox, redact, maxBody, clock })
}

/** What carries them: RabbitMQ where there is one, else jobs, where the platform's jobs are. */
export function openCarrier(config: ResolvedConfig, { database, redis, bus }: Ground): MessagingBackend {
  const { schema, clock, amqpUrl } = config
  const carrier = carrierOf(config)
  if (carrier === 'rabbitmq') return createRabbitMqBackend({ url: amqpUrl!, prefix: config.messaging.prefix, clock })
  if (carrier === 'redis') return createRedisMessaging({ redis: redis!, clock })
  if (carrier === 'memory') return createMemoryMessaging({ clock })
  return createPostgresMessaging({ database, schema, bus, clock })
}

/** What carries the messages of a configuration. */
export function carrierOf({ amqpUrl, messaging, jobs }: ResolvedConfig): 'rabbitmq' | 'redis' | 'postgres' | 'memory' {
  if (amqpUrl && messaging.carrier === 'auto') return 'rabbitmq'
  return jobs.store
}
