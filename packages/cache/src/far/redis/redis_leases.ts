import type { Redis } from '@tailwater/redis'
import type { FarLeases } from '../far_backend.ts'
import type { RedisKeys } from './keys.ts'
import { whole } from './redis_entries.ts'
import { ACQUIRE, RENEW } from './scripts.ts'
import { comparable } from './stored.ts'

/** Leases in Redis: a key that holds the token and expires. */
export function createRedisLeases(redis: Redis, keys: RedisKeys): FarLeases {
  return {
    acquire: (key, seen, token, ttl) =>
      redis.run(ACQUIRE, [keys.value(key), keys.lease(key)], [comparable(seen, redis.generation), token, whole(ttl)]),
    renew: async (key, token, ttl) => (await redis.run(RENEW, [keys.lease(key)], [token, whole(ttl)])) === 1,
    async release(key, token) {
      // A key that has no time left is deleted.
      await redis.run(RENEW, [keys.lease(key)], [token, 0])
    },
  }
}
