import { optionsError, show } from '@tailwater/core'
import type { Coherence } from '../coherence/coherence.ts'
import { InvalidSet } from '../coherence/invalid_set.ts'
import { cacheError } from '../errors.ts'
import { type InvalidateOptions, transactionOf } from '../invalidation.ts'
import { checkKey } from '../key.ts'
import { BatchLoad } from '../load/batch_load.ts'
import type { Load, LoadContext } from '../load/load_context.ts'
import { count, search, serve } from '../load/search.ts'
import { searchMany } from '../load/search_many.ts'
import type { EarlyReading } from '../load/search_plan.ts'
import { type Lifetime, type NewLife, policyOf, policyOfCall } from '../policy.ts'
import { acceptable, type Put, putAll } from '../put.ts'
import type { Space } from '../space.ts'
import type { NamespaceStats } from '../statistics.ts'
import { namespaceTag } from '../tag_name.ts'
import { touch } from '../touch.ts'
import type { NamespaceFunctions } from './definition.ts'
import { type WarmOptions, type WarmResult, warmUp } from './warm_up.ts'
import type { WriteBehind } from './write_behind.ts'

/** A namespace of one kind of thing, found by its id. */
export interface CacheNamespace<Id, Value> {
  readonly name: string
  /** The value: from memory, from the far tier, or by one load for all who ask meanwhile. Undefined for what is nowhere, when there is no `load`. */
  get(id: Id): Promise<Value>
  /** The value if it is fresh in this process's memory; loads nothing. */
  getSync(id: Id): Value | undefined
  /** The values in the order of the ids; those that have to be loaded are by one call of `loadMany`. */
  getMany(ids: readonly Id[]): Promise<Value[]>
  /** Keeps a value in both tiers, and stores it if the namespace has a `store`. @throws E_CACHE_VALUE, E_CACHE_SCHEMA, E_CACHE_QUEUE_FULL, and what `store` throws */
  set(id: Id, value: Value, lifetime?: Lifetime): Promise<void>
  setMany(entries: readonly (readonly [Id, Value])[], lifetime?: Lifetime): Promise<void>
  /** Whether a fresh value is in one of the tiers. */
  has(id: Id): Promise<boolean>
  /** Gives what is there a new life from now on; false if nothing is. @param life the namespace's by default */
  touch(id: Id, life?: NewLife): Promise<boolean>
  /** Forgets one, everywhere, and what loads in flight for it will bring. @throws E_CACHE_TRANSACTION */
  invalidate(id: Id, options?: InvalidateOptions): Promise<void>
  invalidateMany(ids: readonly Id[], options?: InvalidateOptions): Promise<void>
  /** Forgets all of this namespace. */
  invalidateAll(options?: InvalidateOptions): Promise<void>
  /** Loads ids before anybody asks: those given, or those that the definition names. */
  warm(ids?: Iterable<Id> | AsyncIterable<Id>, options?: WarmOptions): Promise<WarmResult>
  /** How long a value is fresh, in milliseconds, unless the load or the call says otherwise. */
  readonly ttl: number
  /** Changes lifetimes from now on; what is kept already keeps its own. @throws E_OPTIONS */
  configure(lifetime: Lifetime): void
  stats(): NamespaceStats
}

/** What a namespace is built from. */
export interface NamespaceParts<Id, Value> {
  space: Space
  coherence: Coherence
  definition: NamespaceFunctions<Id, Value>
  writeBehind: WriteBehind<Id, Value> | undefined
  stats(space: Space): NamespaceStats
}

/** Ids of one load while warming, where many can be loaded at once. */
const WARM_BATCH = 100

/** What a call was given as a list. @throws E_OPTIONS */
function listOf<Item>(call: string, items: readonly Item[]): readonly Item[] {
  if (!Array.isArray(items)) throw optionsError(call, 'given an array', items)
  return items
}

function isIterable(ids: unknown): boolean {
  return typeof ids === 'object' && ids !== null && (Symbol.iterator in ids || Symbol.asyncIterator in ids)
}

/**
 * The calls of a namespace. They are functions of their own, not methods: people pass them on, as in `ids.map(users.get)`.
 *
 * `map` also hands its function the index. Calls with a second parameter take an object there, and so refuse `ids.map(users.touch)` and `ids.map(users.invalidate)`,
 * instead of taking the index for a ttl; for many there is `invalidateMany`.
 */
export class Namespace<Id, Value> implements CacheNamespace<Id, Value> {
  readonly name: string
  readonly space: Space
  readonly #parts: NamespaceParts<Id, Value>

  constructor(parts: NamespaceParts<Id, Value>) {
    this.space = parts.space
    this.name = parts.space.name
    this.#parts = parts
  }

  get ttl(): number {
    return this.space.policy.ttl
  }

  readonly get = (id: Id): Promise<Value> => {
    try {
      const key = this.#keyOf(id)
      const { space } = this
      const entry = space.find(space.form.near + key)
      if (entry !== undefined) return serve(space, entry) as Promise<Value>
      return search({ space, key: checkKey(key), policy: space.policy, load: this.#loadOf(id, key) }) as Promise<Value>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  readonly getSync = (id: Id): Value | undefined => {
    const entry = this.space.find(this.space.form.near + this.#keyOf(id))
    if (entry === undefined) return undefined
    count(this.space, entry.isStale)
    return entry.value as Value
  }

  readonly getMany = async (ids: readonly Id[]): Promise<Value[]> => {
    listOf('getMany', ids)
    const { space } = this
    const { loadMany } = this.#parts.definition
    const batch = loadMany && new BatchLoad<Id>((some, context) => loadMany(some, context))
    // All keys are checked before the first load: one that is refused later would leave the batch waiting.
    const keys = ids.map((id) => checkKey(this.#keyOf(id)))
    const found = await searchMany({
      space,
      keys,
      policy: space.policy,
      one: (at, early) => this.#searchFor(ids[at]!, keys[at]!, batch, early),
      onAllAsked: () => batch?.seal(),
    })
    return found as Value[]
  }

  readonly set = (id: Id, value: Value, lifetime?: Lifetime): Promise<void> => {
    return this.setMany([[id, value]], lifetime)
  }

  readonly setMany = async (entries: readonly (readonly [Id, Value])[], lifetime: Lifetime = {}): Promise<void> => {
    const policy = policyOfCall('set', lifetime, this.space.policy)
    const { writeBehind } = this.#parts
    for (const entry of listOf('setMany', entries))
      if (!Array.isArray(entry)) throw optionsError('setMany', 'given pairs of an id and a value', entry)
    const rows = entries.map(([id, value]) => ({ id, key: checkKey(this.#keyOf(id)), value }))
    // Before the source has it: what cannot be kept is not stored either.
    for (const row of rows) acceptable(this.space, row)
    if (writeBehind) writeBehind.add(rows)
    else await this.#store(entries)
    const puts: Put[] = rows
    await putAll(this.space, this.#parts.coherence, puts, policy)
  }

  readonly has = async (id: Id): Promise<boolean> => {
    const { space } = this
    const key = checkKey(this.#keyOf(id))
    if (space.find(space.form.near + key)) return true
    return (await search({ space, key, policy: space.policy, load: undefined })) !== undefined
  }

  readonly touch = async (id: Id, life: NewLife = {}): Promise<boolean> => {
    const policy = policyOfCall('touch', life, this.space.policy)
    return touch(this.space, checkKey(this.#keyOf(id)), policy)
  }

  readonly invalidate = (id: Id, options?: InvalidateOptions): Promise<void> => {
    return this.invalidateMany([id], options)
  }

  readonly invalidateMany = async (ids: readonly Id[], options?: InvalidateOptions): Promise<void> => {
    const tx = transactionOf(options)
    const keys = listOf('invalidateMany', ids).map((id) => this.space.form.whole + checkKey(this.#keyOf(id)))
    await this.#parts.coherence.invalidate(InvalidSet.of(keys), tx)
  }

  readonly invalidateAll = async (options?: InvalidateOptions): Promise<void> => {
    const tx = transactionOf(options)
    await this.#parts.coherence.invalidate(InvalidSet.of([], [namespaceTag(this.name)]), tx)
  }

  readonly warm = async (ids?: Iterable<Id> | AsyncIterable<Id>, options: WarmOptions = {}): Promise<WarmResult> => {
    const { warm, loadMany } = this.#parts.definition
    const wanted = ids ?? warm?.() ?? []
    if (!isIterable(wanted)) throw optionsError('warm', 'given ids, in an array or another iterable', wanted)
    const batch = loadMany ? (options.batch ?? WARM_BATCH) : 1
    return warmUp(wanted, (some) => (loadMany ? this.getMany(some) : this.get(some[0]!)), options, batch)
  }

  readonly configure = (lifetime: Lifetime): void => {
    this.space.policy = policyOf(`cache '${this.name}'`, lifetime, this.space.policy)
  }

  readonly stats = (): NamespaceStats => {
    return this.#parts.stats(this.space)
  }

  #keyOf(id: Id): string {
    const { key } = this.#parts.definition
    const text: unknown = key ? key(id) : id
    if (typeof text === 'string') return text
    if (typeof text === 'number' || typeof text === 'bigint') return String(text)
    // Every object would be '[object Object]', and each be answered with another's value.
    const hint = key ? 'what `key` gives' : 'an id without a `key`'
    throw cacheError('E_CACHE_KEY', `${hint} must be text or a number in the cache '${this.name}', got ${show(text)}`)
  }

  /** Write-behind has the newest value until the source has it. */
  #loadOf(id: Id, key: string, loadMany?: Load): Load | undefined {
    const { definition, writeBehind } = this.#parts
    const { load } = definition
    const plain: Load | undefined =
      loadMany ?? (load && ((context) => load(id, context as LoadContext<Value>))) ?? this.#loadBySome(id)
    if (!writeBehind) return plain
    return (context) => {
      const waiting = writeBehind.get(key)
      return waiting ? waiting.value : plain?.(context)
    }
  }

  /** A namespace that can only load many loads one as many. */
  #loadBySome(id: Id): Load | undefined {
    const { loadMany } = this.#parts.definition
    if (!loadMany) return undefined
    const batch = new BatchLoad<Id>((some, context) => loadMany(some, context))
    batch.seal()
    return batch.loadOf(id)
  }

  #searchFor(id: Id, key: string, batch: BatchLoad<Id> | undefined, early: EarlyReading | undefined): Promise<unknown> {
    const { space } = this
    const load = this.#loadOf(id, key, batch?.loadOf(id))
    const onSpared = batch && (() => batch.spare(id))
    return search({ space, key, policy: space.policy, load, onSpared, early })
  }

  async #store(entries: readonly (readonly [Id, Value])[]): Promise<void> {
    const { store, storeMany } = this.#parts.definition
    if (storeMany && (entries.length > 1 || !store)) await storeMany(entries)
    else if (store) await Promise.all(entries.map(([id, value]) => store(id, value)))
  }
}
