import type { Redis } from '@tailwater/redis'
import type { FarLeases, LeaseAnswer } from '../far_backend.ts'
import { chunksOf } from './chunks.ts'
import type { RedisKeys } from './keys.ts'
import { batch, whole } from './redis_entries.ts'
import { ACQUIRE, RENEW } from './scripts.ts'
import { comparable } from './stored.ts'

/** By what the script replies. */
const ANSWERS: readonly LeaseAnswer[] = ['changed', 'held', 'granted']

/** Leases in Redis: a key that holds the token and expires. */
export function createRedisLeases(redis: Redis, keys: RedisKeys): FarLeases {
  return {
    async acquire(wishes, ttl) {
      const { generation } = redis
      const calls = chunksOf(redis, wishes, () => 0).map((chunk) => ({
        script: ACQUIRE,
        keys: chunk.flatMap(({ key }) => [keys.value(key), keys.lease(key)]),
        args: [whole(ttl), ...chunk.flatMap(({ seen, token }) => [comparable(seen, generation), token])],
      }))
      return (await batch<number[]>(redis, calls)).flat().map((answer) => ANSWERS[answer]!)
    },
    renew: async (key, token, ttl) => (await redis.run(RENEW, [keys.lease(key)], [token, whole(ttl)])) === 1,
    async release(key, token) {
      // A key that has no time left is deleted.
      await redis.run(RENEW, [keys.lease(key)], [token, 0])
    },
  }
}
