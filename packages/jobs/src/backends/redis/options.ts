import { integer, optional, resolveOptions, value } from '@tailwater/core'
import type { Redis } from '@tailwater/redis'
import type { JobsOutbox } from '../../enqueue/outbox_relay.ts'

/** How the backend is built. */
export interface RedisBackendOptions {
  /** The connection. It is used, and neither started nor stopped here. */
  redis: Redis
  /** Replicas that must have a job before its enqueueing is confirmed; each call then takes a round trip to them. @default 0 */
  replicas?: number
  /** Of the database whose transactions jobs are enqueued in: `createOutbox` of `@tailwater/postgres`. It is used, and neither started nor stopped here. @default none: transactions are refused */
  outbox?: JobsOutbox
}

/** @throws E_OPTIONS */
export function resolveRedisBackendOptions(options: RedisBackendOptions) {
  return resolveOptions('redisBackend', options, {
    redis: value<Redis>('a Redis', (given) => typeof (given as Redis)?.keyspace === 'function'),
    replicas: integer({ min: 0, max: 100, default: 0 }),
    outbox: optional(value<JobsOutbox>('an Outbox', (given) => typeof (given as JobsOutbox)?.appendAll === 'function')),
  })
}

/** Options with their defaults. */
export type ResolvedRedisBackendOptions = ReturnType<typeof resolveRedisBackendOptions>
