import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CacheOptions, createCache, type LoadContext } from '@tailwater/cache'
import { cacheAccess, cacheLoad, hasCode, listen } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'

function open(options: CacheOptions = {}) {
  const clock = new FakeClock()
  return { clock, cache: createCache({ ttl: '10s', clock, ...options }) }
}

/** A source whose every load brings the next number. */
function counter() {
  let loads = 0
  return { load: async () => ++loads, loads: () => loads }
}

describe('a look-up', () => {
  it('serves a fresh value without loading again', async () => {
    const { cache, clock } = open()
    const { load } = counter()
    await cache.getOrSet({ key: 'a', load })
    await clock.advance(9_999)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 1)
    await clock.advance(1)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 2)
  })

  it('of a thousand callers of one cold key causes one load', async () => {
    const { cache } = open()
    const gate = Promise.withResolvers<string>()
    let loads = 0
    const load = () => {
      loads++
      return gate.promise
    }
    const callers = Array.from({ length: 1_000 }, () => cache.getOrSet({ key: 'a', load }))
    gate.resolve('once')
    assert.deepEqual(new Set(await Promise.all(callers)), new Set(['once']))
    assert.equal(loads, 1)
    assert.equal(cache.stats().namespaces['default']?.misses, 1_000)
  })

  it('that fails reaches every waiting caller as it is, and the next one loads again', async () => {
    const { cache } = open()
    const failure = new Error('source is down')
    const load = () => Promise.reject(failure)
    const outcomes = await Promise.allSettled([cache.getOrSet({ key: 'a', load }), cache.getOrSet({ key: 'a', load })])
    assert.deepEqual(
      outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason),
      [failure, failure],
    )
    assert.equal(await cache.getOrSet({ key: 'a', load: () => 'back' }), 'back')
  })

  it('keeps to the lifetime that it names itself', async () => {
    const { cache, clock } = open()
    const { load } = counter()
    await cache.getOrSet({ key: 'a', ttl: '2s', load })
    await clock.advance(2_000)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 2)
  })

  it('gives its loader the key, and aborts it when it takes too long', async () => {
    const { cache, clock } = open()
    let context: LoadContext<never> | undefined
    const asked = cache.getOrSet<never>({
      key: 'a',
      loadTimeout: '3s',
      load(given) {
        context = given
        return new Promise<never>(() => {})
      },
    })
    const failed = assert.rejects(asked, (error) => hasCode(error, 'E_CACHE_LOAD_TIMEOUT'))
    await clock.advance(2_999)
    assert.equal(context?.signal.aborted, false)
    assert.equal(context?.key, 'a')
    await clock.advance(1)
    await failed
    assert.equal(context?.signal.aborted, true)
    assert.equal(clock.pending, 0)
  })

  it('refuses a load that asks for itself at once, also through another load, or after a while', async () => {
    const { cache, clock } = open()
    const direct = (): Promise<number> => cache.getOrSet({ key: 'a', load: direct })
    await assert.rejects(direct(), { code: 'E_CACHE_LOAD_CYCLE' })
    const there = (): Promise<number> => cache.getOrSet({ key: 'b', load: back })
    const back = (): Promise<number> => cache.getOrSet({ key: 'c', load: there })
    await assert.rejects(there(), { code: 'E_CACHE_LOAD_CYCLE' })
    const late = async (): Promise<number> => {
      await null
      return cache.getOrSet({ key: 'd', load: late })
    }
    await assert.rejects(late(), { code: 'E_CACHE_LOAD_CYCLE' })
    assert.equal(clock.pending, 0)
    // In production what a load does before it waits; and nobody else is refused.
    const production = open({ environment: 'production' }).cache
    const again = (): Promise<number> => production.getOrSet({ key: 'a', load: again })
    await assert.rejects(again(), { code: 'E_CACHE_LOAD_CYCLE' })
    const slow = { key: 'e', load: async () => 5 }
    assert.deepEqual(await Promise.all([production.getOrSet(slow), production.getOrSet(slow)]), [5, 5])
  })

  it('lets its loader say how long the result lives, and by what it can be invalidated', async () => {
    const { cache, clock } = open()
    const { load } = counter()
    const adaptive = {
      key: 'a',
      load(context: LoadContext<number>) {
        const { setTtl, addTags } = context
        setTtl('1s')
        addTags('seller:7')
        return load()
      },
    }
    await cache.getOrSet(adaptive)
    await clock.advance(999)
    assert.equal(await cache.getOrSet(adaptive), 1)
    await clock.advance(1)
    assert.equal(await cache.getOrSet(adaptive), 2)
    await cache.invalidate({ tags: ['seller:7'] })
    assert.equal(await cache.getOrSet(adaptive), 3)
  })

  it('keeps nothing that its loader says to skip', async () => {
    const { cache } = open()
    const { load } = counter()
    const skipping = {
      key: 'a',
      load(context: LoadContext<number>) {
        context.skip()
        return load()
      },
    }
    assert.deepEqual([await cache.getOrSet(skipping), await cache.getOrSet(skipping)], [1, 2])
  })

  it('keeps null as a value, and undefined not at all', async () => {
    const { cache } = open()
    let loads = 0
    const nothing = (value: null | undefined) => ({
      key: String(value),
      load: async () => {
        loads++
        return value
      },
    })
    for (const value of [null, null, undefined, undefined]) assert.equal(await cache.getOrSet(nothing(value)), value)
    assert.equal(loads, 3)
  })

  it('remembers for a time of its own that there is nothing', async () => {
    const { cache, clock } = open({ negativeTtl: '1s' })
    let loads = 0
    const wanted = {
      key: 'a',
      load: async () => {
        loads++
        return undefined
      },
    }
    await cache.getOrSet(wanted)
    await clock.advance(999)
    await cache.getOrSet(wanted)
    assert.equal(loads, 1)
    await clock.advance(1)
    await cache.getOrSet(wanted)
    assert.equal(loads, 2)
  })

  it('shortens lifetimes at random, so that what was loaded together does not end together', async () => {
    const { cache, clock } = open({ jitter: 0.5, random: () => 0.5 })
    const { load } = counter()
    await cache.getOrSet({ key: 'a', load })
    await clock.advance(7_499)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 1)
    await clock.advance(1)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 2)
  })

  it('publishes each look-up with its outcome and its tier, and each load', async () => {
    const { cache } = open()
    const told: string[] = []
    const ends = [
      listen(cacheAccess, ({ cache: name, outcome, tier }) => void told.push(`${name} ${outcome} ${tier}`)),
      listen(cacheLoad, ({ cache: name, error }) => void told.push(`${name} load ${error?.message}`)),
    ]
    await cache.getOrSet({ key: 'a', load: () => 1 })
    await cache.getOrSet({ key: 'a', load: () => 1 })
    await cache.getOrSet({ key: 'b', load: () => Promise.reject(new Error('down')) }).catch(() => {})
    for (const end of ends) end()
    assert.deepEqual(told, [
      'default load undefined',
      'default miss source',
      'default hit near',
      'default load down',
      'default miss source',
    ])
  })

  it('makes shared values unchangeable in development, and leaves them alone in production', async () => {
    const { cache } = open()
    const value = await cache.getOrSet({ key: 'a', load: () => ({ deep: { list: [1] } }) })
    assert.throws(() => value.deep.list.push(2), TypeError)
    const { cache: fast } = open({ environment: 'production' })
    const free = await fast.getOrSet({ key: 'a', load: () => ({ list: [1] }) })
    free.list.push(2)
    assert.deepEqual(fast.getSync('a'), { list: [1, 2] })
  })
})

describe('a stale value', () => {
  it('is served at once within grace, and replaced in the background by one load', async () => {
    const { cache, clock } = open({ grace: '1m' })
    const { load, loads } = counter()
    await cache.getOrSet({ key: 'a', load })
    await clock.advance(10_000)
    const callers = await Promise.all(Array.from({ length: 1_000 }, () => cache.getOrSet({ key: 'a', load })))
    assert.deepEqual(new Set(callers), new Set([1]))
    await clock.advance(0)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 2)
    assert.equal(loads(), 2)
    assert.equal(cache.stats().namespaces['default']?.stale, 1_000)
  })

  it('is gone when grace is over', async () => {
    const { cache, clock } = open({ grace: '1m' })
    const { load } = counter()
    await cache.getOrSet({ key: 'a', load })
    await clock.advance(70_000)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 2)
  })

  it('is served when a load takes longer than the soft time-out, and the load goes on', async () => {
    const { cache, clock } = open({ grace: '1m', softTimeout: 200 })
    await cache.getOrSet({ key: 'a', load: () => 'old' })
    await clock.advance(10_000)
    const gate = Promise.withResolvers<string>()
    const asked = cache.getOrSet({ key: 'a', load: () => gate.promise })
    let answer: string | undefined
    void asked.then((value) => (answer = value))
    await clock.advance(199)
    assert.equal(answer, undefined)
    await clock.advance(1)
    assert.equal(answer, 'old')
    gate.resolve('new')
    await clock.advance(0)
    assert.equal(cache.getSync('a'), 'new')
  })

  it('is not served when the load comes within the soft time-out', async () => {
    const { cache, clock } = open({ grace: '1m', softTimeout: 200 })
    await cache.getOrSet({ key: 'a', load: () => 'old' })
    await clock.advance(10_000)
    assert.equal(await cache.getOrSet({ key: 'a', load: async () => 'new' }), 'new')
    assert.equal(clock.pending, 0)
  })

  it('is served while the source fails, which is asked again only after a pause', async () => {
    const { cache, clock } = open({ grace: '1m', failBackoff: '5s' })
    let attempts = 0
    const load = () => {
      attempts++
      return Promise.reject(new Error('source is down'))
    }
    await cache.getOrSet({ key: 'a', load: () => 'old' })
    await clock.advance(10_000)
    for (let second = 0; second < 10; second++) {
      assert.equal(await cache.getOrSet<string>({ key: 'a', load }), 'old')
      await clock.advance(1_000)
    }
    assert.equal(attempts, 2)
    await clock.advance(50_000)
    await assert.rejects(cache.getOrSet({ key: 'a', load }), /source is down/)
  })

  it('is given to the loader, for conditional requests', async () => {
    const { cache, clock } = open({ grace: '1m', softTimeout: '1s' })
    await cache.getOrSet({ key: 'a', load: () => 'old' })
    await clock.advance(10_000)
    assert.equal(
      await cache.getOrSet<string>({ key: 'a', load: ({ stale }) => `${stale}, not modified` }),
      'old, not modified',
    )
  })

  it('does not come back after an invalidation, though the source fails', async () => {
    const { cache } = open({ grace: '1m' })
    await cache.getOrSet({ key: 'a', load: () => 'old' })
    await cache.delete('a')
    await assert.rejects(cache.getOrSet({ key: 'a', load: () => Promise.reject(new Error('down')) }), /down/)
  })

  it('is fresh still when it is refreshed early, by one load in the background', async () => {
    const { cache, clock } = open({ eagerRefresh: 0.8 })
    const { load, loads } = counter()
    await cache.getOrSet({ key: 'a', load })
    await clock.advance(7_999)
    await cache.getOrSet({ key: 'a', load })
    assert.equal(loads(), 1)
    await clock.advance(1)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 1)
    await clock.advance(0)
    assert.equal(await cache.getOrSet({ key: 'a', load }), 2)
    assert.equal(cache.stats().namespaces['default']?.stale, 0)
  })

  it('that could not be refreshed early is fresh to its end, and the source is not asked at every look', async () => {
    const { cache, clock } = open({ eagerRefresh: 0.5, failBackoff: '2s' })
    let attempts = 0
    const failing = () => {
      attempts++
      return Promise.reject(new Error('down'))
    }
    await cache.getOrSet({ key: 'a', load: () => 'old' })
    await clock.advance(5_000)
    for (let i = 0; i < 4; i++) {
      assert.equal(await cache.getOrSet<string>({ key: 'a', load: failing }), 'old')
      await clock.advance(1_000)
    }
    assert.equal(attempts, 2)
    await clock.advance(1_000)
    await assert.rejects(cache.getOrSet({ key: 'a', load: failing }), /down/)
  })
})

describe('an invalidation while a value is loaded', () => {
  it('of its key keeps the result from being kept, and later callers load again', async () => {
    const { cache } = open()
    const gate = Promise.withResolvers<string>()
    const early = cache.getOrSet({ key: 'a', load: () => gate.promise })
    await cache.delete('a')
    const late = cache.getOrSet({ key: 'a', load: () => 'new row' })
    gate.resolve('old row')
    assert.equal(await early, 'old row')
    assert.equal(await late, 'new row')
    assert.equal(cache.getSync('a'), 'new row')
  })

  it('of one of its tags does so too, and who asks afterwards does not get the old row', async () => {
    const { cache } = open()
    const gate = Promise.withResolvers<string>()
    const early = cache.getOrSet({ key: 'a', tags: ['t'], load: () => gate.promise })
    await cache.invalidate({ tags: ['t'] })
    const late = cache.getOrSet({ key: 'a', tags: ['t'], load: () => 'new row' })
    gate.resolve('old row')
    assert.deepEqual([await early, await late, cache.getSync('a')], ['old row', 'new row', 'new row'])
  })

  it('of a tag that only its loader names does so too', async () => {
    const { cache } = open()
    const gate = Promise.withResolvers<string>()
    const load = (context: LoadContext<string>) => {
      context.addTags('t')
      return gate.promise
    }
    const early = cache.getOrSet({ key: 'a', load })
    await cache.invalidate({ tags: ['t'] })
    const late = cache.getOrSet({ key: 'a', load: () => 'new row' })
    gate.resolve('old row')
    assert.deepEqual([await early, await late, cache.getSync('a')], ['old row', 'new row', 'new row'])
  })

  it('of a pattern, or of everything, does so too', async () => {
    for (const what of [{ pattern: 'user:*' }, { all: true }, { all: true, namespace: 'default' }]) {
      const { cache } = open()
      const gate = Promise.withResolvers<string>()
      const early = cache.getOrSet({ key: 'user:1', load: () => gate.promise })
      await cache.invalidate(what)
      gate.resolve('old row')
      await early
      assert.equal(cache.getSync('user:1'), undefined)
    }
  })

  it('does not touch what is loaded under other keys', async () => {
    const { cache } = open()
    const gate = Promise.withResolvers<string>()
    const asked = cache.getOrSet({ key: 'user:1', tags: ['a'], load: () => gate.promise })
    await cache.invalidate({ keys: ['user:2'], tags: ['b'], pattern: 'product:*' })
    gate.resolve('row')
    await asked
    assert.equal(cache.getSync('user:1'), 'row')
  })
})
