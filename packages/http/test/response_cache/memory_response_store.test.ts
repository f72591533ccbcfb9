import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { responseStoreContract, sampleResponse } from '@tailwater/http/testing'
import { createMemoryResponseStore, type KeptResponses, type ResponseStore } from '../../src/index.ts'

responseStoreContract('memory', async () => {
  const clock = new FakeClock()
  return { store: createMemoryResponseStore({ clock }), pass: (ms) => clock.advance(ms) }
})

describe('the store in memory', () => {
  const read = (store: ResponseStore, key: string) => store.read(key) as KeptResponses
  const keep = (store: ResponseStore, key: string, body: string, tags: readonly string[] = []) =>
    store.set(key, [sampleResponse(body)], { ttl: 60_000, since: read(store, key).mark, tags }) as boolean
  const has = (store: ResponseStore, key: string) => read(store, key).variants.length > 0

  it('forgets the least recently used when it is full', () => {
    const store = createMemoryResponseStore({ maxBytes: 20_000 })
    for (const key of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) keep(store, key, 'x'.repeat(1_500))
    assert.ok(has(store, 'a'))
    keep(store, 'i', 'x'.repeat(1_500))
    keep(store, 'j', 'x'.repeat(1_500))
    assert.deepEqual(
      ['a', 'b', 'i', 'j'].map((key) => has(store, key)),
      [true, false, true, true],
    )
  })

  it('refuses what would take more than an eighth of it, and forgets what stood in its place', () => {
    const store = createMemoryResponseStore({ maxBytes: 20_000 })
    keep(store, 'a', 'small')
    assert.equal(keep(store, 'a', 'x'.repeat(2_500)), false)
    assert.equal(has(store, 'a'), false)
  })

  it('counts headers, tags and selections, not bodies alone', () => {
    const store = createMemoryResponseStore({ maxBytes: 20_000 })
    const since = read(store, 'a').mark
    const heavy = sampleResponse('', { tags: Array.from({ length: 100 }, (_, i) => `tag-${i}`) })
    assert.equal(store.set('a', [heavy], { ttl: 1_000, since, tags: [] }), false)
  })

  it('refuses marks that are older than the invalidations it remembers', () => {
    const store = createMemoryResponseStore()
    const { mark: since } = read(store, 'k')
    for (let i = 0; i <= 10_000; i++) void store.delete(`other-${i}`)
    assert.equal(store.set('k', [sampleResponse('')], { ttl: 1_000, since, tags: [] }), false)
    assert.equal(keep(store, 'k', ''), true)
  })

  it('takes a key for a tag of the same name never', () => {
    const store = createMemoryResponseStore()
    keep(store, 'red', '1')
    void store.invalidateTags(['red'])
    assert.ok(has(store, 'red'))
  })
})
