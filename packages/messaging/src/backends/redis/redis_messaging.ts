import { type Bus, type Clock, type Duration, systemClock } from '@tailwater/core'
import { createRedisBackend } from '@tailwater/jobs/redis'
import { createRedisBus, type Redis } from '@tailwater/redis'
import type { MessagingBackend } from '../../backend.ts'
import { createJobsMessaging } from '../jobs/jobs_messaging.ts'
import { createRedisRouting } from './redis_routing.ts'

/** Messages in Redis or Valkey. */
export interface RedisMessagingOptions {
  /** Started and stopped by whoever made it. */
  redis: Redis
  /** What broadcasts and replies go over. @default a bus of its own over the same connection */
  bus?: Bus
  /** After this time without a sign of life a consumer is taken for dead. @default '30s' */
  lease?: Duration
  /** Longest time between two looks at the store when nothing wakes a consumer. @default '5s' */
  pollInterval?: Duration
  clock?: Clock
}

/**
 * Messages as jobs in Redis, as lasting as it writes to disk; broadcasts and replies over its bus.
 *
 * @example
 * const messaging = createMessaging({ backend: createRedisMessaging({ redis }) })
 */
export function createRedisMessaging({
  redis,
  bus,
  clock = systemClock,
  ...rest
}: RedisMessagingOptions): MessagingBackend {
  return createJobsMessaging({
    ...rest,
    store: createRedisBackend({ redis }),
    routing: createRedisRouting({ redis }),
    bus: bus ?? createRedisBus({ redis, name: 'messaging', clock }),
    clock,
  })
}
