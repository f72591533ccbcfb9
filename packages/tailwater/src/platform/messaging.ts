import { createMemoryMessaging, createMessaging, type Messaging, type MessagingBackend } from '@tailwater/messaging'
import { createPostgresMessaging } from '@tailwater/messaging/postgres'
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

/** What carries them: jobs, where the platform's jobs are. */
export function openCarrier(
  { jobs, schema, clock }: ResolvedConfig,
  { database, redis, bus }: Ground,
): MessagingBackend {
  if (jobs.store === 'redis') return createRedisMessaging({ redis: redis!, clock })
  if (jobs.store === 'memory') return createMemoryMessaging({ clock })
  return createPostgresMessaging({ database, schema, bus, clock })
}
