import type { Cache, CacheStats, FarBackend, KeyDetails, NamespaceStats } from '@tailwater/cache'
import {
  createSharedCache,
  type KeptDescription,
  type Middleware,
  type Refresh,
  type ResponseCache,
  type ResponseCacheStats,
  responseCache,
} from '@tailwater/http'
import { createCacheResponseStore } from '@tailwater/http/cache-store'
import type { ResolvedConfig } from '../config.ts'
import { RESPONSES } from '../http_config.ts'

/** What can be said to the responses that are kept. */
export interface Responses {
  /** Forgets an address in every process, all variants, whoever's they are. @throws TypeError for what is no address */
  purge(url: string): Promise<void>
  /** Forgets what carries one of the surrogate keys, in every process: responses, and values of the cache with such a tag. */
  purgeTags(tags: readonly string[]): Promise<void>
  /** What this process has answered and kept. */
  stats(): ResponseCacheStats
}

/** The responses of the platform, and the middleware that keeps them. */
export interface PlatformResponses extends Responses {
  /** For one mount: it knows how its application is run again. */
  middleware(refresh: Refresh): Middleware
  /** What is kept under a key of the store. */
  describe(key: string): Promise<KeptDescription | undefined>
  /** Whether they are in the cache's far tier. */
  readonly isShared: boolean
}

/**
 * Opens the cache of responses, if the configuration wants one.
 *
 * Health, for machines that ask by address, and the dashboard are answered whatever host they are asked by.
 *
 * @param backend the cache's far tier, if it has one
 */
export function openResponses(
  config: ResolvedConfig,
  cache: Cache,
  backend: FarBackend | undefined,
): PlatformResponses | undefined {
  const { cache: wanted } = config.http
  if (!wanted) return undefined
  const { clock, dashboardPath } = config
  const { maxBytes, user, ...given } = wanted
  const store = createCacheResponseStore({ cache, maxBytes, namespace: RESPONSES, clock, ...(backend && { backend }) })
  const options = { ...given, store, clock, ...(user && { user }) }
  const { purge, purgeTags, describe, stats: base } = createSharedCache(options, 'handlers')
  const mounted: ResponseCache[] = []
  const isOwn = (path: string) => [dashboardPath, '/health', '/metrics'].some((root) => isBelow(path, root))
  return {
    purge,
    purgeTags,
    describe,
    isShared: backend !== undefined,
    stats: () => mounted.reduce((sum, one) => added(sum, one.stats()), base()),
    middleware(refresh) {
      const made = responseCache({ ...options, refresh })
      mounted.push(made)
      return { ...made, before: (exchange) => (isOwn(exchange.path) ? undefined : made.before!(exchange)) }
    },
  }
}

const isBelow = (path: string, root: string) => path === root || path.startsWith(`${root}/`)

/** Counters of several mounts together; the store, and so its content, is the same. */
function added(sum: ResponseCacheStats, one: ResponseCacheStats): ResponseCacheStats {
  return {
    ...sum,
    hits: sum.hits + one.hits,
    stale: sum.stale + one.stale,
    misses: sum.misses + one.misses,
    passed: sum.passed + one.passed,
    stored: sum.stored + one.stored,
    refused: sum.refused + one.refused,
  }
}

/** The cache as operators see it: responses are one of its namespaces. */
export function withResponses(cache: Cache, responses: PlatformResponses | undefined): Cache {
  if (!responses) return cache
  const prefix = `${RESPONSES}:`
  return {
    ...cache,
    async inspect(key) {
      if (!key.startsWith(prefix)) return cache.inspect(key)
      const kept = await responses.describe(key.slice(prefix.length))
      return kept && detailsOf(key, kept, responses.isShared)
    },
    stats(): CacheStats {
      const stats = cache.stats()
      return { ...stats, namespaces: { ...stats.namespaces, [RESPONSES]: namespaceOf(responses) } }
    },
  }
}

function detailsOf(key: string, kept: KeptDescription, isShared: boolean): KeyDetails {
  const { responses: preview, tags, ...rest } = kept
  const tier = { ...rest, tags: [...tags], isValid: true }
  return { key, near: isShared ? undefined : tier, far: isShared ? tier : undefined, preview }
}

function namespaceOf(responses: PlatformResponses): NamespaceStats {
  const { hits, stale, misses, stored, refused, entries, bytes } = responses.stats()
  const [nearHits, farHits] = responses.isShared ? [0, hits] : [hits, 0]
  const loaded = { loads: misses, loadErrors: 0, loadMs: 0 }
  return { nearHits, farHits, stale, misses, ...loaded, sets: stored, outdated: refused, refused: 0, entries, bytes }
}
