import { type Clock, type Duration, duration, integer, resolveOptions, systemClock, text, value } from '@tailwater/core'

/** How a cache is built. */
export interface CacheOptions {
  /** The namespace in events and statistics; one word for each kind of thing kept. */
  name: string
  /** Entries kept at most; the least recently used goes first. @default 10_000 */
  maxEntries?: number
  /** How long an entry is fresh. @default '1m' */
  ttl?: Duration
  /** @default systemClock */
  clock?: Clock
}

/** Options with every default filled in; durations in milliseconds. */
export interface ResolvedCacheOptions {
  name: string
  maxEntries: number
  ttl: number
  clock: Clock
}

/** @throws E_OPTIONS */
export function resolveCacheOptions(options: CacheOptions): ResolvedCacheOptions {
  return resolveOptions('createCache', options, {
    name: text({ pattern: /^[a-z][a-z0-9-]*$/, expected: 'a lower-case word' }),
    maxEntries: integer({ min: 1, default: 10_000 }),
    ttl: duration({ min: 1, default: '1m' }),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock)?.elapsed === 'function', {
      default: systemClock,
    }),
  })
}
