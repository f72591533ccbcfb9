import { integer, resolveOptions, value } from '@tailwater/core'
import type { Redis } from '@tailwater/redis'

/** How the backend is built. */
export interface RedisBackendOptions {
  /** The connection. It is used, and neither started nor stopped here. */
  redis: Redis
  /** Replicas that must have a job before its enqueueing is confirmed; each call then takes a round trip to them. @default 0 */
  replicas?: number
}

/** @throws E_OPTIONS */
export function resolveRedisBackendOptions(options: RedisBackendOptions) {
  return resolveOptions('redisBackend', options, {
    redis: value<Redis>('a Redis', (given) => typeof (given as Redis)?.keyspace === 'function'),
    replicas: integer({ min: 0, max: 100, default: 0 }),
  })
}

/** Options with their defaults. */
export type ResolvedRedisBackendOptions = ReturnType<typeof resolveRedisBackendOptions>
