import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Cache, createCache, createMemoryBackend } from '@tailwater/cache'
import { chaos } from '@tailwater/cache/testing'
import { cacheInvalidation, createMemoryBus, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { createCacheResponseStore } from '@tailwater/http/cache-store'
import { responseStoreContract, sampleResponse } from '@tailwater/http/testing'
import type { ResponseStore } from '../../src/index.ts'

const KEY = 'https://shop.example/products/42'

for (const isShared of [false, true])
  responseStoreContract(`a store beside a cache ${isShared ? 'with' : 'without'} a far tier`, async () => {
    const clock = new FakeClock()
    const backend = isShared ? createMemoryBackend({ clock }) : undefined
    const cache = createCache({ clock, ...(backend && { far: backend }) })
    await cache.start()
    return {
      store: createCacheResponseStore({ cache, clock, ...(backend && { backend }) }),
      pass: (ms) => clock.advance(ms),
      close: () => cache.stop(clock.elapsed()),
    }
  })

/** Two processes, each with a cache and a store of responses beside it. */
async function openTwo(isShared: boolean) {
  const clock = new FakeClock()
  const shared = createMemoryBackend({ clock })
  const transport = createMemoryBus({ clock })
  const open = async () => {
    const bus = transport.connect()
    const far = chaos(shared, { clock })
    const cache = createCache({ clock, bus, ...(isShared && { far }) })
    await cache.start()
    const store = createCacheResponseStore({ cache, clock, ...(isShared && { backend: far }) })
    return { bus, far, cache, store }
  }
  const [one, other] = [await open(), await open()]
  /** Lets everything settle that needs no time. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await clock.advance(0)
  }
  async function keep(store: ResponseStore, tags: readonly string[] = ['product-42']): Promise<boolean> {
    const { mark: since } = await store.read(KEY)
    const policy = { ...sampleResponse('').policy, receivedAt: clock.now() }
    const kept = await store.set(KEY, [sampleResponse('kept', { policy, tags })], { ttl: 60_000, since, tags })
    await settle()
    return kept
  }
  const isThere = async (store: ResponseStore) => (await store.read(KEY)).variants.length > 0
  return { clock, shared, one, other, settle, keep, isThere }
}

for (const isShared of [false, true])
  describe(`stores of responses in ${isShared ? 'a far tier' : 'the memories of two processes'}`, () => {
    const forgettings: Record<string, (cache: Cache) => Promise<void>> = {
      'a surrogate key': (cache) => cache.invalidate({ tags: ['product-42'] }),
      'an address': (cache) => cache.invalidate({ keys: [KEY], namespace: 'http' }),
      'a pattern of addresses': (cache) => cache.invalidate({ pattern: 'https://shop.example/*', namespace: 'http' }),
      'all responses': (cache) => cache.invalidate({ all: true, namespace: 'http' }),
      everything: (cache) => cache.invalidate({ all: true }),
    }
    for (const [what, forget] of Object.entries(forgettings))
      it(`forget with the cache of another process: ${what}`, async () => {
        const { one, other, settle, keep, isThere } = await openTwo(isShared)
        for (const { store } of [one, other]) assert.equal(await keep(store), true)
        await forget(one.cache)
        await settle()
        assert.deepEqual([await isThere(one.store), await isThere(other.store)], [false, false])
        assert.equal(await keep(other.store), true, 'what was asked for afterwards is kept')
      })

    it('keep what an invalidation does not name', async () => {
      const { one, other, settle, keep, isThere } = await openTwo(isShared)
      for (const { store } of [one, other]) await keep(store)
      await one.cache.invalidate({ tags: ['product-4'], keys: ['x'], namespace: 'product' })
      await one.cache.invalidate({ pattern: '*', namespace: 'product' })
      await one.cache.invalidate({ all: true, namespace: 'product' })
      await settle()
      assert.deepEqual([await isThere(one.store), await isThere(other.store)], [true, true])
    })

    it('purged in one process, forget in the other, and so do values of the tag', async () => {
      const { one, other, settle, keep, isThere } = await openTwo(isShared)
      for (const { store } of [one, other]) await keep(store)
      await other.cache.set('row', 'old', { tags: ['product-42'], ttl: '1h' })
      await settle()
      const many = Array.from({ length: 100 }, (_, n) => `other-${n}`)
      await one.store.invalidateTags([...many, 'product-42'])
      await settle()
      assert.deepEqual([await isThere(one.store), await isThere(other.store)], [false, false])
      assert.equal(await other.cache.get('row'), undefined)
    })

    it('tell the world of no address, which may name a person', async () => {
      const { one, other, settle } = await openTwo(isShared)
      const { mark: since } = await other.store.read(KEY)
      const tag = `address ${KEY}`
      await other.store.set(KEY, [sampleResponse('kept')], { ttl: 60_000, since, tags: [tag] })
      const told: string[] = []
      const end = listen(cacheInvalidation, ({ tags }) => void told.push(...tags))
      await one.store.invalidateTags([tag])
      await settle()
      end()
      assert.ok(told.length > 0 && !told.join().includes('shop.example'))
      assert.deepEqual((await other.store.read(KEY)).variants, [])
    })

    it('let nothing land that was asked for before an invalidation in another process', async () => {
      const { one, other, settle } = await openTwo(isShared)
      const { mark: since } = await other.store.read(KEY)
      await one.cache.invalidate({ tags: ['product-42'] })
      await settle()
      const late = [sampleResponse('old', { tags: ['product-42'] })]
      assert.equal(await other.store.set(KEY, late, { ttl: 60_000, since, tags: ['product-42'] }), false)
    })

    it('take surrogate keys that the cache keeps for itself, and mean nothing else by them', async () => {
      const { one, settle, keep, isThere } = await openTwo(isShared)
      const odd = ['@all', '@http', `${'x'.repeat(250)}`]
      await one.cache.set('row', 'kept', { ttl: '1h' })
      for (const tag of odd) {
        assert.equal(await keep(one.store, [tag]), true)
        await one.store.invalidateTags([tag])
        await settle()
        assert.equal(await isThere(one.store), false, tag)
      }
      assert.equal(await one.cache.get('row'), 'kept')
    })
  })

describe('responses in the memory of a process', () => {
  it('are forgotten when news of others was missed', async () => {
    const { other, settle, keep, isThere } = await openTwo(false)
    await keep(other.store)
    const { mark: since } = await other.store.read(KEY)
    other.bus.cut()
    other.bus.heal()
    await settle()
    assert.equal(await isThere(other.store), false)
    assert.equal(await other.store.set(KEY, [sampleResponse('old')], { ttl: 60_000, since, tags: [] }), false)
  })

  it('are not believed for long while the bus is silent', async () => {
    const { clock, one, other, keep, isThere } = await openTwo(false)
    await keep(other.store)
    other.bus.cut()
    await one.cache.invalidate({ tags: ['product-42'] })
    await clock.advance(4_900)
    assert.equal(await isThere(other.store), true)
    await clock.advance(200)
    assert.equal(await isThere(other.store), false)
  })

  it('are followed no more once the store is closed', async () => {
    const { one, keep, isThere } = await openTwo(false)
    await keep(one.store)
    one.store.close()
    await one.cache.invalidate({ tags: ['product-42'] })
    assert.equal(await isThere(one.store), true)
  })
})

describe('responses in a far tier', () => {
  it('are not read while it has yet to learn what the cache has invalidated', async () => {
    const { one, other, shared, keep, isThere, clock } = await openTwo(true)
    // Its own way to the tier is open, while those of the caches are not.
    const store = createCacheResponseStore({ cache: one.cache, clock, backend: shared })
    await keep(store)
    for (const { far } of [one, other]) far.fail()
    const invalidating = one.cache.invalidate({ tags: ['product-42'] })
    await clock.advance(1_000)
    await invalidating
    assert.equal(await isThere(store), false)
  })
})
