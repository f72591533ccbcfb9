import type { Redis } from '@tailwater/redis'

/**
 * Where things lie in Redis.
 *
 * Each cache key has a hash tag of its own, `prefix:{name:key}`, so that a cluster spreads the keys while a key's value and its lease, which one script
 * touches, are together. Tags and their counter are compared with each other and lie under one hash tag.
 */
export interface RedisKeys {
  value(key: string): string
  /** Of the key that has this value. */
  leaseOf(value: string): string
  readonly counter: string
  tag(name: string): string
  /** The cache's key of a value's; undefined for any other. */
  keyOf(value: string): string | undefined
  /** A pattern for SCAN of the values whose keys match one with `*`. */
  values(pattern: string): string
  /** A pattern for SCAN of values and leases, but not tags. */
  readonly everything: string
}

/** Braces would end the hash tag too early, or begin another; percent signs keep the way back open. */
const SPECIAL = /[{}%]/
const encoded = (text: string) => (SPECIAL.test(text) ? text.replace(/[{}%]/g, encodeURIComponent) : text)
const decoded = (text: string) => text.replace(/%(7B|7D|25)/g, decodeURIComponent)

const LEASE = ':lease'

/** @param name of the cache, so that two share a server */
export function createRedisKeys(redis: Redis, name: string): RedisKeys {
  const open = redis.keyspace(`${name}:`)().slice(0, -1)
  const tags = redis.keyspace(`${name}-tags`)
  const literal = (text: string) => encoded(text).replace(/[\\?[\]]/g, '\\$&')
  return {
    value: (key) => `${open}${encoded(key)}}`,
    leaseOf: (value) => value + LEASE,
    counter: tags('counter'),
    tag: (tag) => tags('tag', tag),
    keyOf: (value) =>
      value.startsWith(open) && value.endsWith('}') ? decoded(value.slice(open.length, -1)) : undefined,
    values: (pattern) => `${open}${literal(pattern)}}`,
    everything: `${open}*`,
  }
}
