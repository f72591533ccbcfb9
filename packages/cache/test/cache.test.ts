import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createCache, createCaches } from '@tailwater/cache'
import { cacheAccess, hasCode, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'

const open = (options: { maxEntries?: number } = {}) => {
  const clock = new FakeClock()
  return { clock, cache: createCache<string>({ name: 'product', ttl: '10s', clock, ...options }) }
}

it('a fresh value is served without loading again', async () => {
  const { cache, clock } = open()
  await cache.getOrSet({ key: 'a', load: async () => 'first' })
  await clock.advance(9_999)
  assert.equal(await cache.getOrSet({ key: 'a', load: async () => 'second' }), 'first')
  await clock.advance(1)
  assert.equal(await cache.getOrSet({ key: 'a', load: async () => 'second' }), 'second')
})

it('a thousand callers of one cold key cause one load', async () => {
  const { cache } = open()
  const gate = Promise.withResolvers<string>()
  const callers = Array.from({ length: 1_000 }, () => cache.getOrSet({ key: 'a', load: () => gate.promise }))
  gate.resolve('once')
  assert.deepEqual(new Set(await Promise.all(callers)), new Set(['once']))
  assert.equal(cache.stats().loads, 1)
})

it('a load that began before its key was deleted is not kept', async () => {
  const { cache } = open()
  const gate = Promise.withResolvers<string>()
  const early = cache.getOrSet({ key: 'a', load: () => gate.promise })
  cache.delete('a')
  gate.resolve('old row')
  assert.equal(await early, 'old row')
  assert.equal(await cache.getOrSet({ key: 'a', load: async () => 'new row' }), 'new row')
})

it('a failed load reaches every waiting caller, and the next one loads again', async () => {
  const { cache } = open()
  const load = () => Promise.reject(new Error('source is down'))
  const outcomes = await Promise.allSettled([cache.getOrSet({ key: 'a', load }), cache.getOrSet({ key: 'a', load })])
  assert.ok(outcomes.every((outcome) => outcome.status === 'rejected'))
  assert.equal(await cache.getOrSet({ key: 'a', load: async () => 'back' }), 'back')
})

it('the least recently used entry makes room', async () => {
  const { cache } = open({ maxEntries: 2 })
  for (const key of ['a', 'b', 'a', 'c']) await cache.getOrSet({ key, load: async () => key })
  assert.equal(await cache.getOrSet({ key: 'a', load: async () => 'loaded again' }), 'a')
  assert.equal(await cache.getOrSet({ key: 'b', load: async () => 'loaded again' }), 'loaded again')
  assert.equal(cache.stats().entries, 2)
})

it('publishes each look-up with its outcome', async () => {
  const { cache } = open()
  const outcomes: string[] = []
  const end = listen(cacheAccess, (event) => void outcomes.push(`${event.cache} ${event.outcome}`))
  await cache.getOrSet({ key: 'a', load: async () => 'x' })
  await cache.getOrSet({ key: 'a', load: async () => 'x' })
  end()
  assert.deepEqual(outcomes, ['product miss', 'product hit'])
})

it('refuses a misspelt option by name', () => {
  assert.throws(() => createCache({ name: 'product', maxEntry: 5 } as never), /did you mean 'maxEntries'/)
})

it('a namespace loads by id, and forgets one id alone', async () => {
  let loads = 0
  const products = createCaches({ clock: new FakeClock() }).define('product', {
    load: async (id: number) => `${id}/${++loads}`,
  })
  assert.deepEqual([await products.get(1), await products.get(1), await products.get(2)], ['1/1', '1/1', '2/2'])
  products.invalidate(1)
  assert.deepEqual([await products.get(1), await products.get(2)], ['1/3', '2/2'])
})

it('a look-up without a namespace keeps to its own lifetime', async () => {
  const clock = new FakeClock()
  const caches = createCaches({ clock })
  await caches.getOrSet({ key: 'a', ttl: '2s', load: async () => 1 })
  await clock.advance(2_000)
  assert.equal(await caches.getOrSet({ key: 'a', load: async () => 2 }), 2)
  assert.equal(caches.stats()['default']?.loads, 2)
})

it('a namespace has its name for itself', () => {
  const caches = createCaches({ clock: new FakeClock() })
  caches.define('product', { load: async (id: number) => id })
  for (const taken of ['product', 'default'])
    assert.throws(
      () => caches.define(taken, { load: async (id: number) => id }),
      (error) => hasCode(error, 'E_OPTIONS'),
    )
})
