import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LoadContext } from '@tailwater/cache'
import { row, startTwo } from './cluster.ts'

describe('with a far tier', () => {
  it('what one process loaded another reads', async () => {
    const { a, b, settle } = await startTwo()
    const source = row(1)
    await a.cache.getOrSet({ key: 'x', load: source.load })
    await settle()
    assert.equal(await b.cache.getOrSet({ key: 'x', load: source.load }), 1)
    assert.equal(source.loads, 1)
    assert.equal(b.cache.stats().namespaces['default']?.farHits, 1)
    assert.equal(b.cache.getSync('x'), 1)
  })

  it('a thousand callers in two processes cause one load', async () => {
    const { a, b, clock } = await startTwo()
    const gate = Promise.withResolvers<string>()
    let loads = 0
    const load = () => {
      loads++
      return gate.promise
    }
    const callers = Array.from({ length: 1_000 }, (_, i) => (i % 2 ? a : b).cache.getOrSet({ key: 'x', load }))
    await clock.advance(1_000)
    gate.resolve('once')
    await clock.advance(100)
    assert.deepEqual(new Set(await Promise.all(callers)), new Set(['once']))
    assert.equal(loads, 1)
  })

  it('a process that dies while it loads is followed by another within seconds', async () => {
    const { a, b, clock } = await startTwo({ leaseTtl: '5s', waitLimit: '1m' })
    const never = new Promise<string>(() => {})
    void a.cache.getOrSet({ key: 'x', load: () => never })
    await clock.advance(100)
    a.far.freeze()
    const asked = b.cache.getOrSet({ key: 'x', load: () => 'from b' })
    await clock.advance(5_100)
    assert.equal(await asked, 'from b')
  })

  it('a lease that was held when the store went away is not waited for when it is back', async () => {
    const { a, b, clock } = await startTwo({ leaseTtl: '1m', waitLimit: '1m' })
    void a.cache.getOrSet({ key: 'x', load: () => new Promise<string>(() => {}) })
    await clock.advance(100)
    b.far.freeze()
    const away = b.cache.getOrSet({ key: 'y', load: () => 'y' })
    await clock.advance(200)
    assert.equal(await away, 'y')
    b.far.heal()
    await clock.advance(1_100)
    assert.equal(b.cache.stats().far?.state, 'closed')
    const asked = b.cache.getOrSet({ key: 'x', load: () => 'from b' })
    await clock.advance(100)
    assert.equal(await asked, 'from b')
  })

  it('a lease is renewed while its load runs', async () => {
    const { a, b, clock } = await startTwo({ leaseTtl: '2s', waitLimit: '1m' })
    const gate = Promise.withResolvers<string>()
    const first = a.cache.getOrSet({ key: 'x', load: () => gate.promise })
    await clock.advance(100)
    let loads = 0
    const second = b.cache.getOrSet({ key: 'x', load: () => `${++loads} by b` })
    await clock.advance(10_000)
    gate.resolve('slow')
    await clock.advance(100)
    assert.deepEqual([await first, await second, loads], ['slow', 'slow', 0])
  })

  it('a load of another process is waited for within bounds', async () => {
    const { a, b, clock } = await startTwo({ waitLimit: '3s' })
    void a.cache.getOrSet({ key: 'x', load: () => new Promise<string>(() => {}) })
    await clock.advance(100)
    const asked = b.cache.getOrSet({ key: 'x', load: () => 'from b' })
    await clock.advance(3_100)
    assert.equal(await asked, 'from b')
  })

  it('a load that fails lets the next process try at once', async () => {
    const { a, b, clock, settle } = await startTwo()
    const gate = Promise.withResolvers<string>()
    const first = a.cache.getOrSet({ key: 'x', load: () => gate.promise })
    const failed = assert.rejects(first, /a is down/)
    await settle()
    const second = b.cache.getOrSet({ key: 'x', load: () => 'from b' })
    await settle()
    gate.reject(new Error('a is down'))
    await failed
    await clock.advance(100)
    assert.equal(await second, 'from b')
  })

  it('a stale value of the far tier is served at once, and one process of all replaces it', async () => {
    const { a, b, clock, settle } = await startTwo({ ttl: '1m', grace: '1h', nodes: 3 })
    const source = row(1)
    await a.cache.getOrSet({ key: 'x', load: source.load })
    await clock.advance(60_000)
    const ask = (cache: typeof a.cache) => cache.getOrSet({ key: 'x', load: source.load })
    assert.deepEqual(await Promise.all([ask(a.cache), ask(b.cache)]), [1, 1])
    await settle()
    assert.equal(source.loads, 2)
    source.write(2)
    assert.equal(await ask(b.cache), 1)
  })

  it('what is refreshed early is refreshed by one process of all', async () => {
    const { a, b, clock, settle } = await startTwo({ eagerRefresh: 0.5 })
    const source = row(1)
    const ask = (cache: typeof a.cache) => cache.getOrSet({ key: 'x', load: source.load })
    await ask(a.cache)
    await settle()
    await ask(b.cache)
    await clock.advance(30_000)
    await Promise.all([ask(a.cache), ask(b.cache)])
    await settle()
    assert.equal(source.loads, 2)
  })

  it('keys that are asked for in one turn are read by one call, very many by a few', async () => {
    const { a, b, settle } = await startTwo()
    const keys = Array.from({ length: 250 }, (_, i) => `k${i}`)
    await a.cache.setMany(keys.map((key) => [key, key] as const))
    await b.cache.getOrSet({ key: 'warm', load: () => 1 })
    await settle()
    const ask = (some: readonly string[]) => Promise.all(some.map((key) => b.cache.get(key)))
    const before = b.far.calls.length
    assert.deepEqual(await ask(keys.slice(0, 30)), keys.slice(0, 30))
    assert.deepEqual(b.far.calls.slice(before), ['entries.read'])
    assert.deepEqual(await ask(keys.slice(30)), keys.slice(30))
    const calls = b.far.calls.slice(before + 1)
    assert.deepEqual(new Set(calls), new Set(['entries.read']))
    assert.ok(calls.length <= 10, `${calls.length} calls for 220 keys`)
  })

  it('what is mostly missing is read together with the right to load it', async () => {
    const { a, b, settle } = await startTwo()
    const load = ({ key }: LoadContext) => `loaded ${key}`
    for (let i = 0; i < 20; i++) await a.cache.getOrSet({ key: `k${i}`, load })
    await settle()
    const before = a.far.calls.length
    assert.equal(await a.cache.getOrSet({ key: 'next', load }), 'loaded next')
    await settle()
    assert.deepEqual(a.far.calls.slice(before), ['leases.claim', 'entries.write'])
    // It is there for others; and what others have is found, without a load.
    assert.equal(await b.cache.get('next'), 'loaded next')
    await b.cache.set('theirs', 'set')
    assert.equal(await a.cache.getOrSet({ key: 'theirs', load }), 'set')
  })

  it('what is mostly missing is loaded by one process of all, and waited for by the others', async () => {
    const { a, b, settle, clock } = await startTwo()
    const load = ({ key }: LoadContext) => `loaded ${key}`
    for (let i = 0; i < 20; i++)
      for (const node of [a, b]) await node.cache.getOrSet({ key: `${node === a ? 'a' : 'b'}${i}`, load })
    await settle()
    const gate = Promise.withResolvers<string>()
    let loads = 0
    const slow = () => {
      loads++
      return gate.promise
    }
    const callers = [a, b, a, b].map((node) => node.cache.getOrSet({ key: 'cold', load: slow }))
    await settle()
    gate.resolve('once')
    await settle()
    await clock.advance(100)
    assert.deepEqual(await Promise.all(callers), ['once', 'once', 'once', 'once'])
    assert.equal(loads, 1)
  })

  it('what could not be serialised is handed out and kept near alone; to set it is an error', async () => {
    const { a, b, settle } = await startTwo({ freeze: false })
    const loop: { self?: unknown } = {}
    loop.self = loop
    assert.equal(await a.cache.getOrSet({ key: 'x', load: () => loop }), loop)
    await settle()
    assert.equal(a.cache.getSync('x'), loop)
    assert.equal(await b.cache.get('x'), undefined)
    assert.equal(a.cache.stats().namespaces['default']?.refused, 1)
    for (const value of [loop, { n: 1n }, () => 1, Symbol('s'), Promise.resolve(1)])
      await assert.rejects(a.cache.set('y', value), { code: 'E_CACHE_VALUE' })
    assert.equal(a.cache.getSync('y'), undefined)
  })

  it('a value beyond the limit stays near', async () => {
    const { a, b, settle } = await startTwo({ maxFarBytes: '1kb' })
    await a.cache.getOrSet({ key: 'x', load: () => 'x'.repeat(2_000) })
    await settle()
    assert.equal(a.cache.getSync<string>('x')?.length, 2_000)
    assert.equal(await b.cache.get('x'), undefined)
  })

  it('that there is nothing is remembered for all processes', async () => {
    const { a, b, settle } = await startTwo({ negativeTtl: '10s' })
    let loads = 0
    const load = async () => {
      loads++
      return undefined
    }
    await a.cache.getOrSet({ key: 'x', load })
    await settle()
    await b.cache.getOrSet({ key: 'x', load })
    assert.equal(loads, 1)
  })

  it('bytes of somebody else under a key are a miss', async () => {
    const { a, b } = await startTwo()
    await a.far.entries.write([{ key: 'default:x', envelope: Buffer.from('{"not":"ours"}'), ttl: 10_000 }])
    assert.equal(await b.cache.getOrSet({ key: 'x', load: () => 'loaded' }), 'loaded')
  })
})
