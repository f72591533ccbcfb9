import type { Redis } from '@tailwater/redis'
import { type FarTags, TAG_MS } from '../far_backend.ts'
import type { RedisKeys } from './keys.ts'
import { INVALIDATE_TAGS, NUMBERS } from './scripts.ts'

/** Tags in Redis: a key for each, beside their counter. */
export function createRedisTags(redis: Redis, keys: RedisKeys): FarTags {
  const ask = (tags: readonly string[], floor: number) =>
    redis.run<string[]>(NUMBERS, [keys.counter, ...tags.map(keys.tag)], [floor, TAG_MS])

  return {
    async numbers(tags, floor) {
      if (tags.length === 0) return []
      return (await ask(tags, floor)).slice(1).map(Number)
    },
    async invalidate(tags) {
      return Number(await redis.run(INVALIDATE_TAGS, [keys.counter, ...tags.map(keys.tag)], [TAG_MS]))
    },
    async now() {
      const [counter] = await ask([], 0)
      return Number(counter)
    },
  }
}
