import type { Call, Redis } from '@tailwater/redis'
import type { FarBrowser, FarKey } from '../far_backend.ts'
import type { RedisKeys } from './keys.ts'
import { batch } from './redis_entries.ts'
import { isEntry, VERSION_LENGTH } from './stored.ts'

/** Keys that a page of clearing looks at. */
const CLEAR_COUNT = 500

/** Looks through Redis by SCAN, one master after the other. */
export function createRedisBrowser(redis: Redis, keys: RedisKeys): FarBrowser {
  async function show(values: readonly string[]): Promise<FarKey[]> {
    const calls = values.flatMap((value): Call[] => [
      { command: 'GETRANGE', args: [value, 0, 0] },
      { command: 'STRLEN', args: [value] },
      { command: 'PTTL', args: [value] },
    ])
    const replies = await batch<string | number>(redis, calls)
    return values.flatMap((value, index) => {
      const [kind, length, ttl] = replies.slice(index * 3) as [string, number, number]
      const key = keys.keyOf(value)
      // Gone meanwhile, or a tombstone.
      if (key === undefined || !isEntry(kind) || ttl < 0) return []
      return [{ key, bytes: length - VERSION_LENGTH, ttl }]
    })
  }

  return {
    async scan(pattern, cursor, limit) {
      const page = await redis.scan({ match: keys.values(pattern), cursor, count: limit })
      return { keys: await show(page.keys), next: page.next }
    },
    async clear() {
      let cursor: string | undefined
      do {
        const page = await redis.scan({ match: keys.everything, cursor, count: CLEAR_COUNT })
        // UNLINK frees memory beside the server's loop; in a cluster each key may lie in a slot of its own.
        await batch(
          redis,
          page.keys.map((key) => ({ command: 'UNLINK', args: [key] })),
        )
        cursor = page.next
      } while (cursor !== undefined)
    },
  }
}
