import { createService, optionsError, type Service } from '@tailwater/core'
import { createKeyBrowser, type KeyBrowser } from './browser/key_browser.ts'
import { createPreview } from './browser/redaction.ts'
import { buildCore } from './build_core.ts'
import { Coherence } from './coherence/coherence.ts'
import type { Follower } from './coherence/follower.ts'
import { type Following, follow } from './coherence/following.ts'
import { InvalidSet } from './coherence/invalid_set.ts'
import { type InvalidateOptions, type Invalidation, invalidSetOf, transactionOf } from './invalidation.ts'
import { checkKey, DEFAULT_NAMESPACE, NAMESPACE_WORD } from './key.ts'
import { type BatchContext, BatchLoad, type BatchResult } from './load/batch_load.ts'
import type { Load, LoadContext } from './load/load_context.ts'
import { search, serve } from './load/search.ts'
import { searchMany } from './load/search_many.ts'
import { type BuiltNamespace, buildNamespace } from './namespace/build_namespace.ts'
import type { NamespaceDefinition } from './namespace/definition.ts'
import type { CacheNamespace } from './namespace/namespace.ts'
import { type CacheOptions, resolveCacheOptions } from './options.ts'
import { type Lifetime, type NewLife, policyOfCall } from './policy.ts'
import type { Space } from './space.ts'
import type { CacheStats } from './statistics.ts'
import { EVERYTHING } from './tag_name.ts'
import { createLifecycle } from './upkeep/lifecycle.ts'
import { cacheStats, namespaceStats } from './upkeep/statistics_of.ts'

/** A look-up, and what to do when there is nothing. */
export interface GetOrSetOptions<Value> extends Lifetime {
  key: string
  /** Runs on a miss, once for all who ask meanwhile, in all processes. What it rejects with they all get, unless there is a value within grace. */
  load(context: LoadContext<Value>): Promise<Value> | Value
}

/** Look-ups of many keys, and one load for what is not there. */
export interface GetOrSetManyOptions<Value> extends Lifetime {
  keys: readonly string[]
  load(
    keys: readonly string[],
    context: BatchContext<string, Value>,
  ): Promise<BatchResult<string, Value>> | BatchResult<string, Value>
}

/**
 * The cache of one process: values in its memory, optionally in a store that processes share, coherent over a bus.
 *
 * Look-ups work before `start` and after `stop`, from memory and the source alone. What is returned is what is kept, shared by all who ask: treat it as read-only.
 */
export interface Cache extends Service, KeyBrowser {
  /** The value from memory, from the far tier, or by one load for all who ask meanwhile. @throws what the load throws, E_CACHE_LOAD_TIMEOUT, E_CACHE_KEY, E_OPTIONS */
  getOrSet<Value>(options: GetOrSetOptions<Value>): Promise<Value>
  /** The values in the order of the keys; those that have to be loaded are by one call. @throws E_CACHE_LOAD_RESULT, and as `getOrSet` */
  getOrSetMany<Value>(options: GetOrSetManyOptions<Value>): Promise<Value[]>
  /** The value if it is fresh in one of the tiers. */
  get<Value>(key: string): Promise<Value | undefined>
  /** The value if it is fresh in this process's memory. */
  getSync<Value>(key: string): Value | undefined
  getMany<Value>(keys: readonly string[]): Promise<(Value | undefined)[]>
  /** Keeps a value in both tiers. @throws E_CACHE_VALUE for one that the far tier cannot have; then nothing is changed */
  set<Value>(key: string, value: Value, lifetime?: Lifetime): Promise<void>
  setMany<Value>(entries: readonly (readonly [key: string, value: Value])[], lifetime?: Lifetime): Promise<void>
  /** Forgets a key, everywhere. */
  delete(key: string): Promise<void>
  has(key: string): Promise<boolean>
  /** Gives a fresh value a new life from now on; false if there is none. */
  touch(key: string, life?: NewLife): Promise<boolean>
  /** A namespace with its own load, lifetime and bounds. @throws E_OPTIONS, also for a name that is taken */
  define<Id, Value>(name: string, definition: NamespaceDefinition<Id, Value>): CacheNamespace<Id, Value>
  /** The namespace of that name. */
  namespace(name: string): CacheNamespace<unknown, unknown> | undefined
  /**
   * Forgets, here at once and everywhere within a moment. Within a transaction it happens if and when that commits.
   * @throws E_CACHE_KEY, E_CACHE_TAG, E_CACHE_TRANSACTION
   */
  invalidate(what: Invalidation, options?: InvalidateOptions): Promise<void>
  /** Forgets everything, and frees the room that it takes in the far tier. */
  clear(): Promise<void>
  /** Lets a store of one's own, beside the cache, forget what the cache forgets. */
  follow(follower: Follower): Following
  stats(): CacheStats
}

/**
 * Builds a cache.
 *
 * @throws E_OPTIONS, E_CACHE_TAG
 * @example
 * const cache = createCache({ ttl: '5m', grace: '1h' })
 * const products = cache.define('product', { load: (id: number) => findProduct(id) })
 * const product = await products.get(42)
 * const total = await cache.getOrSet({ key: 'total', tags: ['orders'], load: () => countOrders() })
 * await cache.invalidate({ tags: ['orders'] })
 */
export function createCache(options: CacheOptions = {}): Cache {
  const resolved = resolveCacheOptions(options)
  const { bus, outbox, name, policy } = resolved
  const core = buildCore(resolved, (tags, number) => coherence.line.onReplayed(tags, number))
  const spaces = new Map<string, Space>()
  const coherence = new Coherence({ core, spaces, bus, outbox, name })
  const ground = { core, coherence, policy, stats: namespaceStats }
  const built = new Map<string, BuiltNamespace<never, never>>()

  function define<Id, Value>(word: string, definition: NamespaceDefinition<Id, Value>): CacheNamespace<Id, Value> {
    if (typeof word !== 'string' || !NAMESPACE_WORD.test(word))
      throw optionsError('cache.define', 'a lower-case word', word)
    if (built.has(word)) throw optionsError('cache.define', 'a name that no other namespace has', word)
    const made = buildNamespace(ground, word, definition)
    built.set(word, made as unknown as BuiltNamespace<never, never>)
    spaces.set(word, made.namespace.space)
    return made.namespace
  }

  const own = define<string, unknown>(DEFAULT_NAMESPACE, {
    key: (key) => (typeof key === 'string' ? key : checkKey(key)),
  })
  const space = spaces.get(DEFAULT_NAMESPACE)!
  const lifecycle = createLifecycle(core, coherence, () => built.values())
  return {
    ...createService('cache', lifecycle),
    ...createKeyBrowser(core, spaces, createPreview(resolved.redact)),
    getOrSet: (wanted) => getOrSet(space, wanted),
    getOrSetMany: (wanted) => getOrSetMany(space, wanted),
    get: <Value>(key: string) => own.get(key) as Promise<Value | undefined>,
    getSync: <Value>(key: string) => own.getSync(key) as Value | undefined,
    getMany: <Value>(keys: readonly string[]) => own.getMany(keys) as Promise<(Value | undefined)[]>,
    set: (key, value, lifetime) => own.set(key, value, lifetime),
    setMany: (entries, lifetime) => own.setMany(entries, lifetime),
    delete: (key) => own.invalidate(key),
    has: (key) => own.has(key),
    touch: (key, life) => own.touch(key, life),
    define,
    namespace: (word) => built.get(word)?.namespace as CacheNamespace<unknown, unknown> | undefined,
    async invalidate(what, options) {
      const tx = transactionOf(options)
      await coherence.invalidate(invalidSetOf(what), tx)
    },
    async clear() {
      await coherence.invalidate(InvalidSet.of([], [EVERYTHING]))
      for (const tier of coherence.effects.tiers()) tier.clear()
      await core.far?.ask('clear', (store) => store.browser.clear(), CLEAR_LIMIT)
    },
    follow: (follower) => follow(core, coherence.effects, follower),
    stats: () => cacheStats(core, spaces, bus, coherence.untold),
  }
}

/** Milliseconds that emptying the far tier may take. */
const CLEAR_LIMIT = 60_000

/** Not async, and without anything before the look: most look-ups end here. */
function getOrSet<Value>(space: Space, wanted: GetOrSetOptions<Value>): Promise<Value> {
  try {
    const { key } = wanted
    const entry = space.find(key)
    if (entry !== undefined) return serve(space, entry) as Promise<Value>
    const load = wanted.load as Load
    if (typeof load !== 'function') throw optionsError('getOrSet.load', 'a function', load)
    return search({
      space,
      key: checkKey(key),
      policy: policyOfCall('getOrSet', wanted, space.policy),
      load: (context) => load.call(wanted, context),
    }) as Promise<Value>
  } catch (error) {
    return Promise.reject(error)
  }
}

async function getOrSetMany<Value>(space: Space, wanted: GetOrSetManyOptions<Value>): Promise<Value[]> {
  const { keys, load } = wanted
  if (!Array.isArray(keys)) throw optionsError('getOrSetMany.keys', 'an array of keys', keys)
  if (typeof load !== 'function') throw optionsError('getOrSetMany.load', 'a function', load)
  const policy = policyOfCall('getOrSetMany', wanted, space.policy)
  const batch = new BatchLoad<string>((some, context) => load.call(wanted, some, context))
  // All keys are checked before the first load: one that is refused later would leave the batch waiting.
  for (const key of keys) checkKey(key)
  const found = await searchMany({
    space,
    keys,
    policy,
    one(at, early) {
      const key = keys[at]!
      return search({ space, key, policy, load: batch.loadOf(key), onSpared: () => batch.spare(key), early })
    },
    onAllAsked: () => batch.seal(),
  })
  return found as Value[]
}
