import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cacheFar, listen } from '@tailwater/core'
import { row, startCluster, startTwo } from './cluster.ts'

describe('a far tier in trouble', () => {
  it('that is frozen costs one caller its limit, and then nobody', async () => {
    const { a, clock } = await startTwo()
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
    const { a, clock } = await startTwo()
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
      const { a, b, clock, settle } = await startTwo({ nodes: 3 })
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
    const { a, b, clock, settle } = await startTwo()
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
    const { a, clock } = await startTwo()
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
