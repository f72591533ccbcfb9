import type { Cache, FarBackend, Follower } from '@tailwater/cache'
import { type Clock, optional, resolveOptions, type Size, size, systemClock, text, value } from '@tailwater/core'
import { addressTag } from '../response_cache/invalidation.ts'
import { createMemoryResponseStore } from '../response_cache/memory_response_store.ts'
import type { KeptResponses, ResponseStore } from '../response_cache/response_store.ts'
import { createFarResponseStore } from './far_response_store.ts'
import { tagInCache, tagsOfAll } from './names.ts'

/** How responses are kept beside a cache. */
export interface CacheResponseStoreOptions {
  /** What it forgets, in whichever process, is forgotten here; what is purged here is invalidated there. */
  cache: Pick<Cache, 'follow' | 'invalidate'>
  /** The cache's own far tier, to keep responses for all processes. @default the memory of each */
  backend?: FarBackend
  /** Of the memory. @default '64mb' */
  maxBytes?: Size
  /** By which the cache knows responses: `cache.invalidate({ all: true, namespace: 'http' })`. @default 'http' */
  namespace?: string
  /** @default systemClock */
  clock?: Clock
}

/** A store of responses that follows a cache. */
export interface CacheResponseStore extends ResponseStore {
  /** Follows no more. */
  close(): void
}

/** Tags that one call of the cache takes. */
const TAGS_OF_A_CALL = 32

/**
 * Keeps responses in step with a cache: surrogate keys are its tags. What is invalidated there, also within a transaction, forgets the responses of these tags in every process; what is purged here
 * is invalidated there, so that values of the tag go too.
 *
 * In memory each process forgets as it hears of it, and while the bus is silent believes no response longer than the cache believes its values (`maxStaleness`). In a shared store the tags' numbers
 * decide, and what the store has yet to learn is not read from it.
 *
 * @throws E_OPTIONS
 * @example
 * const store = createCacheResponseStore({ cache: tw.cache })
 * const responses = responseCache({ hosts: ['shop.example'], store })
 */
export function createCacheResponseStore(options: CacheResponseStoreOptions): CacheResponseStore {
  const { cache, backend, maxBytes, namespace, clock } = resolveOptions('createCacheResponseStore', options, {
    cache: value<CacheResponseStoreOptions['cache']>('a Cache', isCache),
    backend: optional(value<FarBackend>('a FarBackend', isBackend)),
    maxBytes: size({ default: '64mb' }),
    namespace: text({ default: 'http' }),
    clock: value<Clock>('a Clock', (given) => typeof (given as Clock)?.elapsed === 'function', {
      default: systemClock,
    }),
  })
  const store = backend
    ? createFarResponseStore({ backend, prefix: namespace, clock })
    : createMemoryResponseStore({ maxBytes, clock })
  const all = tagsOfAll(namespace)
  const following = cache.follow(backend ? NOBODY : followerOf(store, namespace))

  function believed(key: string, kept: KeptResponses): KeptResponses {
    const { variants } = kept
    if (variants.length === 0) return kept
    if (backend) {
      const tags = [addressTag(key), ...variants.flatMap((one) => one.tags)].map(tagInCache)
      return following.isOwed([`${namespace}:${key}`], [...all, ...tags]) ? { ...kept, variants: [] } : kept
    }
    const longest = following.believedFor()
    if (longest === Number.POSITIVE_INFINITY) return kept
    const now = clock.now()
    return { ...kept, variants: variants.filter(({ policy }) => now - policy.receivedAt <= longest) }
  }

  return {
    read(key) {
      const kept = store.read(key)
      return kept instanceof Promise ? kept.then((found) => believed(key, found)) : believed(key, kept)
    },
    set(key, variants, how) {
      const tags = how.tags.map(tagInCache)
      // A shared store adds those of all by itself.
      return store.set(key, variants, { ...how, tags: backend ? tags : [...all, ...tags] })
    },
    delete: (key) => store.delete(key),
    async invalidateTags(tags) {
      const names = tags.map(tagInCache)
      const calls = []
      for (let at = 0; at < names.length; at += TAGS_OF_A_CALL)
        calls.push(cache.invalidate({ tags: names.slice(at, at + TAGS_OF_A_CALL) }))
      await Promise.all(calls)
    },
    isShared: backend !== undefined,
    content: () => store.content?.() ?? { entries: 0, bytes: 0 },
    close: () => following.end(),
  }
}

const isCache = (given: unknown) => typeof (given as Cache)?.follow === 'function'
const isBackend = (given: unknown) => typeof (given as FarBackend)?.entries === 'object'

/** A shared store is told by the cache itself. */
const NOBODY: Follower = { forget() {}, forgetAll() {} }

/** Forgets in memory what the cache forgets. */
function followerOf(store: ResponseStore, namespace: string): Follower {
  const prefix = `${namespace}:`
  return {
    forget({ keys, tags }) {
      for (const key of keys) if (key.startsWith(prefix)) void store.delete(key.slice(prefix.length))
      // The fence of a pattern's namespace is among them: responses are not told apart by patterns, and all of them go.
      if (tags.size > 0) void store.invalidateTags([...tags])
    },
    forgetAll: () => void store.invalidateTags(tagsOfAll(namespace)),
  }
}
