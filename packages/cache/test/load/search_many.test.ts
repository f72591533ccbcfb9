import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
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

  it('do not keep what is invalidated while it is read, whether by its key, a pattern or a tag', async () => {
    const { nodes, settle, stop } = await startCluster()
    const [a, b] = nodes as [Node, Node]
    const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
    await a.cache.setMany(keys.map((key) => [key, 'old'] as const))
    await a.cache.set('k3', 'old', { tags: ['t'] })
    await settle()
    await b.cache.getMany(['k0', 'k3'])
    await b.cache.invalidate({ keys: ['nothing else is done'] })
    b.far.freeze()
    const reading = b.cache.getMany(keys)
    await a.cache.delete('k1')
    await a.cache.invalidate({ pattern: 'k1*' })
    await a.cache.invalidate({ tags: ['t'] })
    await settle()
    b.far.heal()
    // Who asked before may have what was there then, but nobody who asks now.
    await reading
    const near = keys.filter((key) => b.cache.getSync(key) !== undefined)
    assert.deepEqual(near, ['k0', 'k2', 'k4', 'k5', 'k6', 'k7', 'k8', 'k9'])
    await stop()
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
