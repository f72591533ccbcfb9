import { integer, oneOf, optional, resolveOptions, value } from '@tailwater/core'
import type { Redis } from '@tailwater/redis'
import type { JobsOutbox } from '../../enqueue/outbox_relay.ts'
import type { Tags } from './shards/layout.ts'

/** How the backend is built. */
export interface RedisBackendOptions {
  /** The connection. It is used, and neither started nor stopped here. */
  redis: Redis
  /** Replicas that must have a job before its enqueueing is confirmed; each call then takes a round trip to them. @default 0 */
  replicas?: number
  /** Of the database whose transactions jobs are enqueued in: `createOutbox` of `@tailwater/postgres`. It is used, and neither started nor stopped here. @default none: transactions are refused */
  outbox?: JobsOutbox
  /**
   * `prefix`: all jobs have one hash tag, so that everything is one step, and one node of a cluster has them all. `queue`: each queue has its own, and a cluster spreads them. Then
   * a worker's turn is a script for each queue, unique keys are of their queue, and flows through several are relayed. The same in all processes.
   * @default 'prefix'
   */
  tags?: Tags
}

/** @throws E_OPTIONS */
export function resolveRedisBackendOptions(options: RedisBackendOptions) {
  return resolveOptions('redisBackend', options, {
    redis: value<Redis>('a Redis', (given) => typeof (given as Redis)?.keyspace === 'function'),
    replicas: integer({ min: 0, max: 100, default: 0 }),
    tags: oneOf(['prefix', 'queue'], { default: 'prefix' }),
    outbox: optional(value<JobsOutbox>('an Outbox', (given) => typeof (given as JobsOutbox)?.appendAll === 'function')),
  })
}

/** Options with their defaults. */
export type ResolvedRedisBackendOptions = ReturnType<typeof resolveRedisBackendOptions>
