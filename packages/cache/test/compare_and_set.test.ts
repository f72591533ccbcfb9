import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LoadContext } from '@tailwater/cache'
import { startTwo } from './cluster.ts'

describe('compare-and-set', () => {
  it('keeps an old row that was read before an invalidation out of the far tier', async () => {
    const { a, b, settle } = await startTwo()
    const gate = Promise.withResolvers<string>()
    const early = a.cache.getOrSet({ key: 'x', load: () => gate.promise })
    await settle()
    // Without the bus: the far tier alone has to refuse the write.
    a.bus.cut()
    await b.cache.delete('x')
    gate.resolve('old row')
    assert.equal(await early, 'old row')
    await settle()
    assert.equal(await b.cache.get('x'), undefined)
  })

  it('keeps it out when a tag of it was invalidated, and when the loader alone knew of the tag', async () => {
    for (const load of [
      (gate: Promise<string>) => ({ tags: ['t'], load: () => gate }),
      (gate: Promise<string>) => ({
        load(context: LoadContext<string>) {
          context.addTags('t')
          return gate
        },
      }),
    ]) {
      const { a, b, settle } = await startTwo()
      const gate = Promise.withResolvers<string>()
      const early = a.cache.getOrSet({ key: 'x', ...load(gate.promise) })
      await settle()
      a.bus.cut()
      await b.cache.invalidate({ tags: ['t'] })
      gate.resolve('old row')
      assert.equal(await early, 'old row')
      await settle()
      assert.equal(await b.cache.get('x'), undefined)
    }
  })

  it('keeps it out when a pattern was invalidated, of which the loading process could not hear', async () => {
    const { a, b, settle } = await startTwo({ nodes: 3 })
    // So that the reader knows what was invalidated since, and need not take everything for void.
    await b.cache.set('other', 1)
    const gate = Promise.withResolvers<string>()
    const early = a.cache.getOrSet({ key: 'user:1', load: () => gate.promise })
    await settle()
    a.bus.cut()
    await b.cache.invalidate({ pattern: 'user:*' })
    gate.resolve('old row')
    assert.equal(await early, 'old row')
    await settle()
    assert.equal(await b.cache.get('user:1'), undefined)
  })

  it('lets what a pattern does not match be read by those who know what it was, and by nobody else', async () => {
    const { a, b, nodes, settle } = await startTwo({ nodes: 3 })
    const stranger = nodes[2]!
    await a.cache.set('product:1', 'kept')
    await a.cache.set('user:1', 'old')
    await b.cache.set('other', 1)
    await b.cache.invalidate({ pattern: 'user:*' })
    await settle()
    assert.deepEqual([await b.cache.get('product:1'), await b.cache.get('user:1')], ['kept', undefined])
    // It has never read of this namespace, so it does not know what else was invalidated since.
    assert.equal(await stranger.cache.get('product:1'), undefined)
    await b.cache.set('user:1', 'new')
    assert.deepEqual([await a.cache.get('user:1'), await stranger.cache.get('user:1')], ['new', 'new'])
  })

  it('lets a value with tags be read where nothing was invalidated', async () => {
    const { a, b, settle } = await startTwo()
    await b.cache.invalidate({ tags: ['other'] })
    const load = (context: LoadContext<string>) => {
      context.addTags('named late')
      return 'row'
    }
    for (const key of ['x', 'y']) {
      await a.cache.getOrSet({ key, tags: ['named first'], load })
      await settle()
    }
    assert.equal(await b.cache.get('y'), 'row')
    await b.cache.invalidate({ tags: ['named late'] })
    await settle()
    assert.deepEqual(
      [a.cache.getSync('y'), await a.cache.get('y'), await b.cache.get('y')],
      [undefined, undefined, undefined],
    )
  })

  it('does not let a value that was set later be replaced by one that was loaded before', async () => {
    const { a, b, settle } = await startTwo()
    const gate = Promise.withResolvers<string>()
    const early = a.cache.getOrSet({ key: 'x', load: () => gate.promise })
    await settle()
    a.bus.cut()
    await b.cache.set('x', 'set')
    gate.resolve('old row')
    await early
    await settle()
    assert.equal(await b.cache.get('x'), 'set')
  })
})
