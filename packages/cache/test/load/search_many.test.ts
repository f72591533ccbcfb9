import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCache, createMemoryBackend } from '@tailwater/cache'
import { createMemoryBus } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { type Node, startCluster } from '../cluster.ts'

describe('look-ups of many keys', () => {
  it('load what is missing with one call, over all processes', async () => {
    const cluster = await startCluster()
    const [a, b] = cluster.nodes
    const asked: string[][] = []
    const wanted = {
      keys: ['a', 'b', 'c', 'b'],
      async load(keys: readonly string[]) {
        asked.push([...keys])
        return keys.map((key) => `${key}!`)
      },
    }
    await a!.cache.set('a', 'set')
    assert.deepEqual(await a!.cache.getOrSetMany(wanted), ['set', 'b!', 'c!', 'b!'])
    await cluster.settle()
    assert.deepEqual(await b!.cache.getOrSetMany(wanted), ['set', 'b!', 'c!', 'b!'])
    assert.deepEqual(asked, [['b', 'c']])
    assert.deepEqual(await b!.cache.getMany(['a', 'nothing']), ['set', undefined])
    await cluster.stop()
  })

  it('wait for what another process loads, and do not hold up the rest', async () => {
    const cluster = await startCluster()
    const [a, b] = cluster.nodes
    const gate = Promise.withResolvers<string>()
    const first = a!.cache.getOrSet({ key: 'x', load: () => gate.promise })
    await cluster.settle()
    const asked: string[][] = []
    const load = async (keys: readonly string[]) => {
      asked.push([...keys])
      return keys.map((key) => key)
    }
    const many = b!.cache.getOrSetMany({ keys: ['x', 'y'], load })
    await cluster.settle()
    assert.equal(b!.cache.getSync('y'), 'y')
    gate.resolve('from a')
    await cluster.clock.advance(100)
    assert.deepEqual([await first, await many, asked], ['from a', ['from a', 'y'], [['y']]])
    await cluster.stop()
  })

  it('read what is only in the far tier with one call of their own, and keep it near', async () => {
    const { nodes, settle, stop } = await startCluster()
    const [a, b] = nodes as [Node, Node]
    const keys = Array.from({ length: 30 }, (_, i) => `k${i}`)
    await a.cache.setMany(keys.map((key, i) => [key, i] as const))
    await settle()
    // The numbers of the tags are known from the first look on.
    await b.cache.get('k0')
    const before = b.far.calls.length
    const wanted = ['missing', ...keys, 'k7']
    assert.deepEqual(await b.cache.getMany(wanted), [undefined, ...keys.map((_, i) => i), 7])
    assert.deepEqual(b.far.calls.slice(before), ['entries.read'])
    assert.equal(b.cache.getSync('k29'), 29)
    const { farHits, nearHits, misses } = b.cache.stats().namespaces['default']!
    assert.deepEqual({ farHits, nearHits, misses }, { farHits: 30, nearHits: 2, misses: 1 })
    await stop()
  })

  for (const what of [{ keys: ['k5'] }, { pattern: 'k1*' }, { tags: ['t'] }])
    it(`do not keep what is invalidated by ${Object.keys(what)} while it is read`, async () => {
      const clock = new FakeClock()
      const store = createMemoryBackend({ clock })
      const transport = createMemoryBus({ clock })
      let gate: Promise<void> | undefined
      // The store has answered, and the answer is on its way for long.
      const read = async (keys: readonly string[]) => {
        const readings = await store.entries.read(keys)
        await gate
        return readings
      }
      const a = createCache({ clock, far: store, bus: transport.connect() })
      const b = createCache({ clock, far: { ...store, entries: { ...store.entries, read } }, bus: transport.connect() })
      for (const cache of [a, b]) await cache.start()
      const settle = async () => {
        for (let turn = 0; turn < 20; turn++) await clock.advance(0)
      }
      const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
      await a.set('tagged', 'old', { tags: ['t'] })
      // The numbers of the tags are known from here on.
      await b.get('tagged')
      await a.setMany(keys.map((key) => [key, 'old'] as const))
      await a.set('tagged', 'old', { tags: ['t'] })
      await settle()
      const held = Promise.withResolvers<void>()
      gate = held.promise
      const reading = b.getMany([...keys, 'tagged'])
      await settle()
      await a.invalidate(what)
      await settle()
      gate = undefined
      held.resolve()
      // Who asked before may have what was there then, and nobody who asks now.
      await reading
      const near = [...keys, 'tagged'].filter((key) => b.getSync(key) !== undefined)
      const gone = (key: string) =>
        'keys' in what ? key === 'k5' : 'tags' in what ? key === 'tagged' : key.startsWith('k1')
      assert.deepEqual(
        near,
        [...keys, 'tagged'].filter((key) => !gone(key)),
      )
      for (const cache of [a, b]) await cache.stop(clock.elapsed())
    })

  it('serve what is within grace, and load it again with what is missing', async () => {
    const { clock, nodes, settle, stop } = await startCluster({ ttl: '1m', grace: '1h' })
    const [a, b] = nodes as [Node, Node]
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    await a.cache.setMany(keys.map((key) => [key, 'old'] as const))
    await clock.advance(61_000)
    const asked: string[][] = []
    const load = async (some: readonly string[]) => {
      asked.push([...some])
      return some.map(() => 'new')
    }
    const found = await b.cache.getOrSetMany({ keys: [...keys, 'missing'], load })
    assert.deepEqual(found, [...keys.map(() => 'old'), 'new'])
    await settle()
    assert.deepEqual(
      await b.cache.getMany(keys),
      keys.map(() => 'new'),
    )
    assert.deepEqual(asked.flat().sort(), [...keys, 'missing'].sort())
    await stop()
  })
})
