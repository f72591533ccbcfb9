import type { Redis } from '@tailwater/redis'
import type { FarLeases, LeaseAnswer } from '../far_backend.ts'
import { chunksOf } from './chunks.ts'
import type { RedisKeys } from './keys.ts'
import { batch, whole } from './redis_entries.ts'
import { ACQUIRE, CLAIM, RENEW } from './scripts.ts'
import { comparable, readClaim } from './stored.ts'

/** By what the script replies. */
const ANSWERS: readonly LeaseAnswer[] = ['changed', 'held', 'granted']

/** Leases in Redis: a key that holds the token and expires. */
export function createRedisLeases(redis: Redis, keys: RedisKeys): FarLeases {
  return {
    async claim(wishes, ttl) {
      // As it is before the question, like that of a reading.
      const { generation } = redis
      const calls = chunksOf(redis, wishes, () => 0).map((chunk) => {
        const names: string[] = []
        const args: (string | number)[] = [whole(ttl)]
        for (const { key, token } of chunk) {
          const value = keys.value(key)
          names.push(value, keys.leaseOf(value))
          args.push(token)
        }
        return { script: CLAIM, keys: names, args, bytes: true }
      })
      return (await batch<Buffer[]>(redis, calls)).flat().map((reply) => readClaim(reply, generation))
    },
    async acquire(wishes, ttl) {
      const { generation } = redis
      const calls = chunksOf(redis, wishes, () => 0).map((chunk) => ({
        script: ACQUIRE,
        keys: chunk.map(({ key }) => keys.value(key)).flatMap((value) => [value, keys.leaseOf(value)]),
        args: [whole(ttl), ...chunk.flatMap(({ seen, token }) => [comparable(seen, generation), token])],
      }))
      return (await batch<number[]>(redis, calls)).flat().map((answer) => ANSWERS[answer]!)
    },
    renew: async (key, token, ttl) =>
      (await redis.run(RENEW, [keys.leaseOf(keys.value(key))], [token, whole(ttl)])) === 1,
    async release(key, token) {
      // A key that has no time left is deleted.
      await redis.run(RENEW, [keys.leaseOf(keys.value(key))], [token, 0])
    },
  }
}
