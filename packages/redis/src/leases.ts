import type { Lease, LeaseStore } from '@tailwater/core'
import type { Redis } from './redis.ts'
import { defineScript } from './script.ts'

/** Where leases are kept. */
export interface RedisLeasesOptions {
  redis: Redis
}

/**
 * Takes or renews a lease.
 * KEYS[1] hash of one lease: holder, epoch, ends (milliseconds since the epoch of Unix)
 * ARGV[1] holder, ARGV[2] time to live in milliseconds
 * Reply: the epoch as text, or false while somebody else holds it
 *
 * The hash stays when a lease ends: the epoch of a name never goes back.
 */
const ACQUIRE = defineScript({
  name: 'lease.acquire',
  version: 1,
  keys: ['lease'],
  time: true,
  lua: `
local held = redis.call('HMGET', KEYS[1], 'holder', 'epoch', 'ends')
local epoch = tonumber(held[2] or 0)
if held[3] and tonumber(held[3]) > now then
  if held[1] ~= ARGV[1] then return false end
else
  epoch = epoch + 1
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'epoch', epoch, 'ends', now + ARGV[2])
return tostring(epoch)`,
})

/**
 * Gives a live lease a new end.
 * KEYS[1] as above; ARGV[1] epoch, ARGV[2] time to live in milliseconds, 0 to release
 * Reply: 1 if the lease was live and of that epoch, else 0
 */
const RENEW = defineScript({
  name: 'lease.renew',
  version: 1,
  keys: ['lease'],
  time: true,
  lua: `
local held = redis.call('HMGET', KEYS[1], 'epoch', 'ends')
if held[1] ~= ARGV[1] or tonumber(held[2]) <= now then return 0 end
redis.call('HSET', KEYS[1], 'ends', now + ARGV[2])
return 1`,
})

/**
 * Leases in Redis, in the server's time; each operation is one script.
 *
 * Replication is asynchronous: a master that dies just after granting may take the grant with it, and its successor
 * grants the same epoch again. Work that must not happen twice belongs under a lease of PostgreSQL, or into a write that carries
 * the epoch to where it is checked.
 */
export function createRedisLeases({ redis }: RedisLeasesOptions): LeaseStore {
  const keysOf = (name: string) => [redis.keyspace(`lease:${encodeURIComponent(name)}`)('grant')] as const
  const setEnd = async ({ name, epoch }: Lease, ttl: number) =>
    (await redis.run(RENEW, keysOf(name), [String(epoch), ttl])) === 1
  return {
    async acquire(name, holder, ttl) {
      const epoch = await redis.run<string | null>(ACQUIRE, keysOf(name), [holder, ttl])
      return epoch === null ? undefined : { name, holder, epoch: BigInt(epoch), ttl }
    },
    renew: async (lease, ttl) => ((await setEnd(lease, ttl)) ? { ...lease, ttl } : undefined),
    release: (lease) => setEnd(lease, 0),
  }
}
