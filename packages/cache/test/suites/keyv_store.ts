import type { KeyvStoreAdapter } from 'keyv'
import type { FarBackend } from '../../src/far/far_backend.ts'
import { createTextStore } from './text_store.ts'

/** A far tier as a store of Keyv 5, which brings its own envelope and puts its namespace before the keys. */
export function createKeyvStore(far: FarBackend) {
  const store = createTextStore(far, 'keyv:')
  const adapter = {
    // Keyv iterates over the stores that it knows by name.
    opts: { dialect: 'redis' },
    namespace: undefined as string | undefined,
    get: async (key: string) => (await store.get([key]))[0],
    getMany: (keys: string[]) => store.get(keys),
    async set(key: string, text: string, ttl?: number) {
      await store.set([{ key, text, ttl }])
    },
    delete: async (key: string) => (await store.delete([key]))[0]!,
    deleteMany: async (keys: string[]) => (await store.delete(keys)).some(Boolean),
    has: async (key: string) => (await store.get([key]))[0] !== undefined,
    async clear() {
      const pattern = adapter.namespace === undefined ? '*' : `${adapter.namespace}:*`
      for await (const key of store.keys(pattern)) await store.delete([key])
    },
    async *iterator(namespace?: string) {
      for await (const key of store.keys(namespace === undefined ? '*' : `${namespace}:*`))
        yield [key, (await store.get([key]))[0]]
    },
    on: () => adapter,
  }
  return adapter as typeof adapter & KeyvStoreAdapter
}
