import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCache, createMemoryBackend } from '@tailwater/cache'
import { chaos } from '@tailwater/cache/testing'
import { cacheInvalidation, createMemoryBus, listen, notice } from '@tailwater/core'
import { FakeClock, stressLifecycle } from '@tailwater/core/testing'
import { type ClusterOptions, row, startCluster } from './cluster.ts'

const open = async (options?: ClusterOptions) => {
  const cluster = await startCluster(options)
  const [a, b] = cluster.nodes
  return { ...cluster, a: a!, b: b! }
}

for (const hasFar of [false, true])
  describe(`processes ${hasFar ? 'with' : 'without'} a far tier`, () => {
    for (const what of [
      { keys: ['user:1'] },
      { tags: ['people'] },
      { pattern: 'user:*' },
      { all: true },
      { all: true, namespace: 'default' },
    ])
      it(`forget what another one invalidates by ${Object.keys(what)}`, async () => {
        const { a, b, settle } = await open({ hasFar })
        const source = row(1)
        const wanted = { key: 'user:1', tags: ['people'], load: source.load }
        for (const { cache } of [a, b]) {
          await cache.getOrSet(wanted)
          await settle()
        }
        source.write(2)
        await a.cache.invalidate(what)
        await settle()
        assert.equal(await a.cache.getOrSet(wanted), 2)
        await settle()
        assert.equal(await b.cache.getOrSet(wanted), 2)
      })

    it('keep what an invalidation does not name', async () => {
      const { a, b, settle } = await open({ hasFar })
      for (const { cache } of [a, b]) {
        await cache.getOrSet({ key: 'user:1', tags: ['people'], load: () => 'kept' })
        await settle()
      }
      await a.cache.invalidate({ keys: ['user:2'], tags: ['places'], pattern: 'user:1?', namespace: 'default' })
      await a.cache.invalidate({ all: true, namespace: 'other' })
      await settle()
      assert.deepEqual([a.cache.getSync('user:1'), b.cache.getSync('user:1')], ['kept', 'kept'])
    })

    it('do not keep what was being loaded when another one invalidated it', async () => {
      const { a, b, settle } = await open({ hasFar })
      const gate = Promise.withResolvers<string>()
      const early = a.cache.getOrSet({ key: 'x', load: () => gate.promise })
      await settle()
      await b.cache.delete('x')
      await settle()
      gate.resolve('old row')
      assert.equal(await early, 'old row')
      await settle()
      assert.equal(await a.cache.get('x'), undefined)
    })

    it('see what another one has set', async () => {
      const { a, b, settle } = await open({ hasFar })
      await b.cache.set('x', 'first')
      await settle()
      await a.cache.set('x', 'second')
      await settle()
      assert.equal(a.cache.getSync('x'), 'second')
      assert.equal(await b.cache.getOrSet({ key: 'x', load: () => 'loaded' }), hasFar ? 'second' : 'loaded')
    })

    it('forget everything after a gap on the bus', async () => {
      const { a, b, settle } = await open({ hasFar })
      await b.cache.getOrSet({ key: 'x', load: () => 'old' })
      b.bus.cut()
      await a.cache.delete('x')
      b.bus.heal()
      await settle()
      assert.equal(b.cache.getSync('x'), undefined)
    })

    it('bound how stale they become while they are cut off, and are as fast as ever while they are not', async () => {
      const { a, b, clock } = await open({ hasFar, ttl: '1h' })
      const source = row(1)
      const wanted = { key: 'x', tags: ['t'], load: source.load }
      await b.cache.getOrSet(wanted)
      await clock.advance(60_000)
      assert.equal(b.cache.getSync('x'), 1)
      b.bus.cut()
      source.write(2)
      await a.cache.invalidate({ tags: ['t'] })
      await clock.advance(5_001)
      assert.equal(await b.cache.getOrSet(wanted), 2)
    })

    it('go on from memory while they are cut off and the source is away, within grace alone', async () => {
      const { b, clock } = await open({ hasFar, ttl: '1h', grace: '2h' })
      const failing = () => Promise.reject(new Error('source is away'))
      await b.cache.getOrSet({ key: 'x', load: () => 'old' })
      await b.cache.getOrSet({ key: 'y', grace: 0, load: () => 'old' })
      b.bus.cut()
      b.far.fail()
      await clock.advance(6_000)
      assert.equal(await b.cache.getOrSet({ key: 'x', load: failing }), 'old')
      await assert.rejects(b.cache.getOrSet({ key: 'y', load: failing }), /source is away/)
    })
  })

describe('a process with a far tier', () => {
  it('reads what it has just invalidated anew, though the far tier does not know yet', async () => {
    const { a, settle } = await open()
    const source = row(1)
    const wanted = { key: 'x', load: source.load }
    await a.cache.getOrSet(wanted)
    await settle()
    source.write(2)
    const told = a.cache.delete('x')
    assert.equal(await a.cache.getOrSet(wanted), 2)
    await told
  })

  it('does not keep what it was reading there when another one invalidated it', async () => {
    const clock = new FakeClock()
    const store = createMemoryBackend({ clock })
    const transport = createMemoryBus({ clock })
    const gate = Promise.withResolvers<void>()
    const read = async (keys: readonly string[]) => {
      const readings = await store.entries.read(keys)
      await gate.promise
      return readings
    }
    const a = createCache({ clock, far: store, bus: transport.connect() })
    const b = createCache({ clock, far: { ...store, entries: { ...store.entries, read } }, bus: transport.connect() })
    await a.start()
    await b.start()
    await a.set('x', 'old')
    const early = b.get('x')
    await clock.advance(0)
    await a.delete('x')
    gate.resolve()
    assert.equal(await early, 'old')
    assert.equal(b.getSync('x'), undefined)
    await Promise.all([a.stop(), b.stop()])
  })

  it('does not add its trust in a silent bus to that in an entry', async () => {
    const { a, b, clock, settle } = await open({ ttl: '1h' })
    const source = row(1)
    const wanted = { key: 'x', tags: ['t'], load: source.load }
    await b.cache.getOrSet({ key: 'other', tags: ['t'], load: () => 1 })
    await a.cache.getOrSet(wanted)
    await settle()
    b.bus.cut()
    source.write(2)
    await a.cache.invalidate({ tags: ['t'] })
    await clock.advance(4_900)
    await b.cache.getOrSet(wanted)
    await clock.advance(200)
    assert.equal(await b.cache.getOrSet(wanted), 2)
  })
})

describe('the news', () => {
  it('of many invalidations in one turn share a message', async () => {
    const clock = new FakeClock()
    const bus = createMemoryBus({ clock })
    const heard: unknown[] = []
    await bus.subscribe('cache:main', { onMessage: ({ payload }) => void heard.push(payload), onGap() {} })
    const cache = createCache({ clock, bus: bus.connect() })
    await cache.start()
    await Promise.all(Array.from({ length: 500 }, (_, i) => cache.delete(`k${i}`)))
    assert.equal(heard.length, 1)
    await cache.stop()
  })

  it('that the bus did not take are told when it does', async () => {
    const { a, b, clock, settle } = await open({ hasFar: false })
    await b.cache.getOrSet({ key: 'x', load: () => 'old' })
    const publish = a.bus.publish
    a.bus.publish = () => Promise.reject(new Error('the bus is away'))
    const deleted = a.cache.delete('x')
    await clock.advance(250)
    await deleted
    assert.equal(b.cache.getSync('x'), 'old')
    a.bus.publish = publish
    await clock.advance(1_000)
    await settle()
    assert.equal(b.cache.getSync('x'), undefined)
  })

  it('make nobody wait for a bus that has let somebody wait in vain, until it answers', async () => {
    const { a, b, clock, settle } = await open({ hasFar: false })
    for (const key of ['x', 'y', 'z']) await b.cache.getOrSet({ key, load: () => 'old' })
    const publish = a.bus.publish
    a.bus.publish = () => new Promise(() => {})
    const first = a.cache.delete('x')
    await clock.advance(100)
    await first
    // The clock stands still.
    await a.cache.delete('y')
    await a.cache.set('z', 'new')
    a.bus.publish = publish
    await clock.advance(1_000)
    await settle()
    assert.deepEqual([b.cache.getSync('y'), b.cache.getSync('z')], [undefined, undefined])
    const told = a.cache.delete('x')
    await settle()
    await told
    assert.equal(b.cache.getSync('x'), undefined)
  })

  it('that wait for the bus are told before a stop, and otherwise it is said that they are lost', async () => {
    const { a, b, clock, settle } = await open({ hasFar: false })
    await b.cache.getOrSet({ key: 'x', load: () => 'old' })
    const publish = a.bus.publish
    a.bus.publish = () => Promise.reject(new Error('the bus is away'))
    await a.cache.delete('x')
    assert.equal(a.cache.stats().untold, 1)
    a.bus.publish = publish
    await a.cache.stop(clock.elapsed())
    await settle()
    assert.deepEqual([a.cache.stats().untold, b.cache.getSync('x')], [0, undefined])
    b.bus.publish = () => Promise.reject(new Error('the bus is away'))
    await b.cache.delete('y')
    const said: unknown[] = []
    const end = listen(notice, ({ fields }) => void said.push(fields))
    await b.cache.stop(clock.elapsed())
    end()
    assert.deepEqual(said, [{ untold: 1 }])
  })

  it('of a later release, or of nobody, do no harm', async () => {
    const { a, b, settle } = await open({ hasFar: false })
    await b.cache.getOrSet({ key: 'x', load: () => 1 })
    for (const payload of [null, 'x', 7, [], { keys: 7, tags: [[]], patterns: [{}] }, { tags: [['t', 'seven']] }])
      await a.bus.publish('cache:main', payload)
    await settle()
    assert.equal(b.cache.getSync('x'), 1)
  })

  it('are an event, in the process that invalidates and in those that hear of it', async () => {
    const { a, settle } = await open({ hasFar: false })
    const told: string[] = []
    const end = listen(cacheInvalidation, ({ keys, tags, origin }) => void told.push(`${origin} ${keys} ${tags}`))
    await a.cache.invalidate({ keys: ['x', 'y'], tags: ['t'] })
    await settle()
    end()
    assert.deepEqual(told, ['own 2 t', 'other 2 ', 'other 0 t'])
  })
})

describe('a cache', () => {
  it('can be started and stopped at any time', async () => {
    const bus = createMemoryBus()
    await stressLifecycle(createCache({ bus }))
  })

  it('works before its start, from memory and the source alone', async () => {
    const clock = new FakeClock()
    const far = chaos(createMemoryBackend({ clock }), { clock })
    const cache = createCache({ far, bus: createMemoryBus({ clock }), clock })
    assert.equal(await cache.getOrSet({ key: 'x', load: () => 1 }), 1)
    assert.equal(cache.getSync('x'), 1)
    await cache.delete('x')
    assert.equal(cache.getSync('x'), undefined)
    assert.deepEqual(far.calls, [])
  })

  it('forgets at its start what it kept without hearing of the others', async () => {
    const { a, clock } = await open()
    const cache = createCache({ bus: a.bus, clock })
    await cache.getOrSet({ key: 'x', load: () => 'unheard' })
    await cache.start()
    assert.equal(cache.getSync('x'), undefined)
    await cache.stop()
  })

  it('frees the far tier of what it has, when it is cleared', async () => {
    const { a, b, settle } = await open()
    await a.cache.set('x', 1)
    await b.cache.get('x')
    await a.cache.clear()
    await settle()
    assert.deepEqual(
      [a.cache.getSync('x'), b.cache.getSync('x'), await b.cache.get('x')],
      [undefined, undefined, undefined],
    )
    assert.deepEqual((await a.cache.keys()).keys, [])
  })

  it('leaves no timer behind when it stops', async () => {
    const cluster = await open()
    await cluster.a.cache.getOrSet({ key: 'x', load: () => 1 })
    await cluster.settle()
    await cluster.stop()
    assert.equal(cluster.clock.pending, 0)
  })
})
