import { createService, resolveOptions, text, value } from '@tailwater/core'
import type { Redis } from '@tailwater/redis'
import type { FarBackend } from '../far_backend.ts'
import { createRedisKeys, type RedisKeys } from './keys.ts'
import { createRedisBrowser } from './redis_browser.ts'
import { createRedisEntries } from './redis_entries.ts'
import { createRedisLeases } from './redis_leases.ts'
import { createRedisTags } from './redis_tags.ts'
import { TIME } from './scripts.ts'

/** Keys that are asked for to hear of every master of a cluster: with ten masters one in a hundred such tries leaves one out. */
const PROBES = 64

/** Where a far tier in Redis lies. */
export interface RedisBackendOptions {
  /** A single server, Sentinel or a cluster. Started and stopped by whoever made it. */
  redis: Redis
  /** Begins every hash tag; two caches with different names share a server and nothing else. @default 'cache' */
  name?: string
}

/**
 * A far tier in Redis or Valkey, 6.2 and later.
 *
 * What it promises holds as long as the server keeps what it acknowledged. Replication is asynchronous: a master that dies may take its last invalidations
 * with it, and its successor then has the entries from before. Their time to live bounds that; `min-replicas-to-write` narrows it.
 *
 * @throws E_OPTIONS
 * @example
 * const redis = createRedis({ url: 'redis://127.0.0.1:6379' })
 * const far = createRedisBackend({ redis })
 */
export function createRedisBackend(options: RedisBackendOptions): FarBackend {
  const { redis, name } = resolveOptions('createRedisBackend', options, {
    redis: value<Redis>('a Redis of @tailwater/redis', (given) => typeof (given as Redis)?.batch === 'function'),
    name: text({ pattern: /^[a-z][\w-]*$/i, expected: 'letters, digits, _ and -', default: 'cache' }),
  })
  const keys = createRedisKeys(redis, name)
  return {
    ...createService('redis', { start() {}, stop() {} }),
    name: 'redis',
    entries: createRedisEntries(redis, keys),
    tags: createRedisTags(redis, keys),
    leases: createRedisLeases(redis, keys),
    browser: createRedisBrowser(redis, keys),
    time: async () => Number(await redis.run<string>(TIME, [keys.counter])),
    async ping() {
      if (redis.isCluster) await pingMasters(redis, keys)
      else await redis.command('PING')
    },
  }
}

/** Rejects when a master does not answer: whoever asked for its keys would have to wait, time and again. */
async function pingMasters(redis: Redis, keys: RedisKeys): Promise<void> {
  const probes = Array.from({ length: PROBES }, (_, at) => keys.value(`ping-${at}`))
  const outcomes = await redis.batch(probes.map((key) => ({ command: 'STRLEN', args: [key] })))
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
}
