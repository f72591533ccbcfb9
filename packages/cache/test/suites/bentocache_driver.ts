import type { CacheDriver } from 'bentocache/types'
import type { FarBackend } from '../../src/far/far_backend.ts'
import { createTextStore } from './text_store.ts'

/** A far tier as a driver of bentocache, which brings its own envelope. */
export function createBentocacheDriver(far: FarBackend, prefix = 'bentocache'): CacheDriver & { type: 'l2' } {
  const store = createTextStore(far, `${prefix}:`)
  return {
    type: 'l2',
    namespace: (name) => createBentocacheDriver(far, `${prefix}:${name}`),
    get: async (key) => (await store.get([key]))[0],
    async pull(key) {
      const [text] = await store.get([key])
      await store.delete([key])
      return text
    },
    async set(key, text, ttl) {
      await store.set([{ key, text, ttl }])
      return true
    },
    async clear() {
      for await (const key of store.keys('*')) await store.delete([key])
    },
    delete: async (key) => (await store.delete([key]))[0]!,
    async deleteMany(keys) {
      await store.delete(keys)
      return true
    },
    disconnect: async () => {},
  }
}
