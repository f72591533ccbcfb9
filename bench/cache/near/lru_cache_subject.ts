import type { LRUCache } from 'lru-cache'
import {
  type Asked,
  type CreateSubject,
  LIFETIME,
  MOST_BYTES,
  type Subject,
  VALUE_BYTES,
  type Value,
} from './subject.ts'

/** lru-cache with the guarantees that ours has, and without all but the first. */
export async function lruCacheSubjects(): Promise<CreateSubject[]> {
  const { LRUCache } = await import('lru-cache')
  return [
    {
      name: 'lru-cache with max, maxSize and ttl',
      settings: 'new LRUCache({ max, maxSize, ttl }), set with { size }; ttlResolution 1 ms, its default',
      create: (entries) =>
        new LruCacheSubject(new LRUCache({ max: entries, maxSize: MOST_BYTES, ttl: LIFETIME }), { size: VALUE_BYTES }),
    },
    {
      name: 'lru-cache with max alone',
      settings: 'new LRUCache({ max }): neither bytes nor time bounded',
      create: (entries) => new LruCacheSubject(new LRUCache({ max: entries }), undefined),
    },
  ]
}

class LruCacheSubject implements Subject {
  readonly #cache: LRUCache<string, Value>
  readonly #options: { size: number } | undefined

  constructor(cache: LRUCache<string, Value>, options: { size: number } | undefined) {
    this.#cache = cache
    this.#options = options
  }

  get size(): number {
    return this.#cache.size
  }

  set(key: string, value: Value): void {
    this.#cache.set(key, value, this.#options)
  }

  askBuilt(ids: Uint32Array): Asked {
    const cache = this.#cache
    const options = this.#options
    let hits = 0
    let idSum = 0
    for (const id of ids) {
      const key = `product:${id}`
      let value = cache.get(key)
      if (value !== undefined) hits++
      else {
        value = { id }
        cache.set(key, value, options)
      }
      idSum += value.id
    }
    return { hits, idSum }
  }

  askReady(ids: Uint32Array, keys: readonly string[]): Asked {
    const cache = this.#cache
    const options = this.#options
    let hits = 0
    let idSum = 0
    for (const id of ids) {
      const key = keys[id]!
      let value = cache.get(key)
      if (value !== undefined) hits++
      else {
        value = { id }
        cache.set(key, value, options)
      }
      idSum += value.id
    }
    return { hits, idSum }
  }
}
