import { cacheError } from '../errors.ts'
import type { Load, LoadContext } from './load_context.ts'

/** What a load of many keys is given. */
export interface BatchContext<Key = string, Value = unknown> {
  /** Aborts when the load has taken longer than `loadTimeout`. */
  readonly signal: AbortSignal
  /** What there is to say of one key's result. */
  of(key: Key): LoadContext<Value>
}

/** What a load of many keys brings: a value for each, in their order, or by key; an `Error` in the place of a value fails that key alone. */
export type BatchResult<Key, Value> = readonly (Value | Error | undefined)[] | ReadonlyMap<Key, Value | Error>

/** Brings the values of many keys at once. */
export type LoadMany<Key> = (keys: readonly Key[], context: BatchContext<Key, never>) => unknown

interface Passenger<Key> {
  key: Key
  context: LoadContext
  resolve(value: unknown): void
  reject(error: unknown): void
}

/**
 * One load for all the keys of a call that have to be loaded.
 *
 * Each key is searched for by itself, in the far tier and among what is being loaded already. The load sets off when every key has either come aboard or is
 * known not to; one that comes too late, having waited for another process in vain, is loaded alone.
 */
export class BatchLoad<Key> {
  readonly #loadMany: LoadMany<Key>
  #expected = new Set<Key>()
  #aboard: Passenger<Key>[] = []
  #isSealed = false

  constructor(loadMany: LoadMany<Key>) {
    this.#loadMany = loadMany
  }

  /** A load of that key that comes aboard when it runs. */
  loadOf(key: Key): Load {
    this.#expected.add(key)
    return (context) =>
      new Promise((resolve, reject) => {
        this.#aboard.push({ key, context, resolve, reject })
        this.spare(key)
      })
  }

  /** That key is not to be waited for. */
  spare(key: Key): void {
    this.#expected.delete(key)
    this.#setOff()
  }

  /** All keys are known. */
  seal(): void {
    this.#isSealed = true
    this.#setOff()
  }

  #setOff(): void {
    if (!this.#isSealed || this.#expected.size > 0 || this.#aboard.length === 0) return
    const passengers = this.#aboard
    this.#aboard = []
    void this.#run(passengers)
  }

  async #run(passengers: Passenger<Key>[]): Promise<void> {
    const keys = passengers.map(({ key }) => key)
    const contexts = new Map(passengers.map(({ key, context }) => [key, context]))
    try {
      const of = (key: Key) => contexts.get(key) as LoadContext<never>
      const result = await this.#loadMany(keys, { signal: passengers[0]!.context.signal, of })
      const valueAt = readerOf(result, keys)
      passengers.forEach(({ resolve, reject }, at) => {
        const value = valueAt(at)
        if (value instanceof Error) reject(value)
        else resolve(value)
      })
    } catch (error) {
      for (const { reject } of passengers) reject(error)
    }
  }
}

/** @throws E_CACHE_LOAD_RESULT */
function readerOf<Key>(result: unknown, keys: readonly Key[]): (at: number) => unknown {
  if (result instanceof Map) return (at) => result.get(keys[at])
  if (Array.isArray(result) && result.length === keys.length) return (at) => result[at]
  const got = Array.isArray(result) ? `${result.length} values` : typeof result
  throw cacheError(
    'E_CACHE_LOAD_RESULT',
    `a load of ${keys.length} keys must bring as many values, or a Map, got ${got}`,
  )
}
