import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LoadContext } from '@tailwater/cache'
import { cacheFar, listen } from '@tailwater/core'
import { type ClusterOptions, row, startCluster } from './cluster.ts'

const open = async (options?: ClusterOptions) => {
  const cluster = await startCluster(options)
  const [a, b] = cluster.nodes
  return { ...cluster, a: a!, b: b! }
}

describe('with a far tier', () => {
  it('what one process loaded another reads', async () => {
    const { a, b, settle } = await open()
    const source = row(1)
    await a.cache.getOrSet({ key: 'x', load: source.load })
    await settle()
    assert.equal(await b.cache.getOrSet({ key: 'x', load: source.load }), 1)
    assert.equal(source.loads, 1)
    assert.equal(b.cache.stats().namespaces['default']?.farHits, 1)
    assert.equal(b.cache.getSync('x'), 1)
  })

  it('a thousand callers in two processes cause one load', async () => {
    const { a, b, clock } = await open()
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
    const { a, b, clock } = await open({ leaseTtl: '5s', waitLimit: '1m' })
    const never = new Promise<string>(() => {})
    void a.cache.getOrSet({ key: 'x', load: () => never })
    await clock.advance(100)
    a.far.freeze()
    const asked = b.cache.getOrSet({ key: 'x', load: () => 'from b' })
    await clock.advance(5_100)
    assert.equal(await asked, 'from b')
  })

  it('a lease that was held when the store went away is not waited for when it is back', async () => {
    const { a, b, clock } = await open({ leaseTtl: '1m', waitLimit: '1m' })
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
    const { a, b, clock } = await open({ leaseTtl: '2s', waitLimit: '1m' })
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
    const { a, b, clock } = await open({ waitLimit: '3s' })
    void a.cache.getOrSet({ key: 'x', load: () => new Promise<string>(() => {}) })
    await clock.advance(100)
    const asked = b.cache.getOrSet({ key: 'x', load: () => 'from b' })
    await clock.advance(3_100)
    assert.equal(await asked, 'from b')
  })

  it('a load that fails lets the next process try at once', async () => {
    const { a, b, clock, settle } = await open()
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
    const { a, b, clock, settle } = await open({ ttl: '1m', grace: '1h', nodes: 3 })
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
    const { a, b, clock, settle } = await open({ eagerRefresh: 0.5 })
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
    const { a, b, settle } = await open()
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
    const { a, b, settle } = await open()
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
    const { a, b, settle, clock } = await open()
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
    const { a, b, settle } = await open({ freeze: false })
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
    const { a, b, settle } = await open({ maxFarBytes: '1kb' })
    await a.cache.getOrSet({ key: 'x', load: () => 'x'.repeat(2_000) })
    await settle()
    assert.equal(a.cache.getSync<string>('x')?.length, 2_000)
    assert.equal(await b.cache.get('x'), undefined)
  })

  it('that there is nothing is remembered for all processes', async () => {
    const { a, b, settle } = await open({ negativeTtl: '10s' })
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
    const { a, b } = await open()
    await a.far.entries.write([{ key: 'default:x', envelope: Buffer.from('{"not":"ours"}'), ttl: 10_000 }])
    assert.equal(await b.cache.getOrSet({ key: 'x', load: () => 'loaded' }), 'loaded')
  })
})

describe('compare-and-set', () => {
  it('keeps an old row that was read before an invalidation out of the far tier', async () => {
    const { a, b, settle } = await open()
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
      const { a, b, settle } = await open()
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
    const { a, b, settle } = await open({ nodes: 3 })
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
    const { a, b, nodes, settle } = await open({ nodes: 3 })
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
    const { a, b, settle } = await open()
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
    const { a, b, settle } = await open()
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

describe('a far tier in trouble', () => {
  it('that is frozen costs one caller its limit, and then nobody', async () => {
    const { a, clock } = await open()
    const states: string[] = []
    const end = listen(cacheFar, ({ change }) => void states.push(change))
    a.far.freeze()
    let answer: string | undefined
    void a.cache.getOrSet({ key: 'x', load: () => 'loaded' }).then((value) => (answer = value))
    await clock.advance(99)
    assert.equal(answer, undefined)
    await clock.advance(1)
    assert.equal(answer, 'loaded')
    const from = clock.elapsed()
    for (let i = 0; i < 100; i++) assert.equal(await a.cache.getOrSet({ key: `k${i}`, load: () => i }), i)
    assert.equal(clock.elapsed(), from)
    assert.equal(a.cache.stats().far?.state, 'open')
    assert.equal(a.cache.stats().far?.timeouts, 1)
    a.far.heal()
    await clock.advance(1_000)
    assert.equal(a.cache.stats().far?.state, 'closed')
    end()
    assert.deepEqual(states, ['open', 'error', 'half-open', 'closed'])
  })

  it('that fails is left alone after three failures, tried again by itself, and less and less often', async () => {
    const { a, clock } = await open()
    a.far.fail()
    for (let i = 0; i < 3; i++) await a.cache.getOrSet({ key: `k${i}`, load: () => i })
    assert.equal(a.cache.stats().far?.state, 'open')
    const tries = () => a.far.calls.filter((call) => call === 'ping').length
    const before = tries()
    await clock.advance(60_000)
    const inAMinute = tries() - before
    assert.ok(inAMinute >= 6 && inAMinute <= 10, `${inAMinute} tries`)
    a.far.heal()
    await clock.advance(10_000)
    assert.equal(a.cache.stats().far?.state, 'closed')
  })

  it('never fails a read, and lets no old value out afterwards: invalidations are kept and told before anything is read', async () => {
    for (const what of [{ keys: ['x'] }, { tags: ['t'] }]) {
      const { a, b, clock, settle } = await open({ nodes: 3 })
      const source = row(1)
      const ask = (cache: typeof a.cache) => cache.getOrSet({ key: 'x', tags: ['t'], load: source.load })
      await ask(a.cache)
      await settle()
      for (const { far } of [a, b]) far.fail()
      for (let i = 0; i < 3; i++) for (const { cache } of [a, b]) await cache.get(`other${i}`)
      // Nobody who hears of it can tell the far tier.
      source.write(2)
      await a.cache.invalidate(what)
      assert.ok(a.cache.stats().far!.pendingInvalidations > 0)
      assert.deepEqual([await ask(a.cache), await ask(b.cache)], [2, 2])
      for (const { far } of [a, b]) far.heal()
      await clock.advance(20_000)
      assert.equal(a.cache.stats().far!.pendingInvalidations, 0)
      const [reading] = await a.far.entries.read(['default:x'])
      assert.ok(what.tags || reading!.envelope === undefined)
      // Without anything near, and without the tags' numbers.
      await b.cache.stop()
      await b.cache.start()
      assert.equal(await ask(b.cache), 2)
    }
  })

  it('is told of an invalidation by whoever can reach it', async () => {
    const { a, b, clock, settle } = await open()
    const source = row(1)
    await a.cache.getOrSet({ key: 'x', load: source.load })
    await settle()
    a.far.freeze()
    source.write(2)
    const invalidated = a.cache.delete('x')
    await clock.advance(200)
    await invalidated
    await settle()
    assert.equal(await b.cache.getOrSet({ key: 'x', load: source.load }), 2)
  })

  it('is no reason not to start, and is found when it is back', async () => {
    const cluster = await startCluster({ nodes: 1 })
    const { cache, far } = cluster.nodes[0]!
    await cache.stop()
    far.fail()
    await cache.start()
    assert.equal(await cache.getOrSet({ key: 'x', load: () => 1 }), 1)
    far.heal()
    await cluster.clock.advance(10_000)
    assert.equal(cache.stats().far?.state, 'closed')
  })

  it('that flaps opens the breaker each time for longer', async () => {
    const { a, clock } = await open()
    const closedAfter: number[] = []
    for (let round = 0; round < 4; round++) {
      a.far.freeze()
      const asked = a.cache.get(`k${round}`)
      await clock.advance(100)
      await asked
      a.far.heal()
      const from = clock.elapsed()
      while (a.cache.stats().far?.state !== 'closed') await clock.advance(100)
      closedAfter.push(clock.elapsed() - from)
    }
    assert.deepEqual(closedAfter, [1_000, 2_000, 4_000, 8_000])
  })
})
