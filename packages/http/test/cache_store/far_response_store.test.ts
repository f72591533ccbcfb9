import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCache, createMemoryBackend, type FarBackend } from '@tailwater/cache'
import { FakeClock } from '@tailwater/core/testing'
import { createFarResponseStore } from '@tailwater/http/cache-store'
import { responseStoreContract, sampleResponse } from '@tailwater/http/testing'
import { decodeRecord, encodeRecord } from '../../src/cache_store/response_record.ts'
import type { ResponseStore } from '../../src/index.ts'

responseStoreContract('a far tier in memory', async () => {
  const clock = new FakeClock()
  return {
    store: createFarResponseStore({ backend: createMemoryBackend({ clock }), clock }),
    pass: (ms) => clock.advance(ms),
  }
})

async function keep(store: ResponseStore, key: string, body: string, tags: readonly string[] = []): Promise<boolean> {
  const { mark: since } = await store.read(key)
  return store.set(key, [sampleResponse(body)], { ttl: 60_000, since, tags })
}
const bodies = async (store: ResponseStore, key: string) =>
  (await store.read(key)).variants.map(({ body }) => String(body))

describe('a store of responses that processes share', () => {
  it('gives one process what another has kept, and refuses what either asked for before an invalidation', async () => {
    const backend = createMemoryBackend()
    const [one, other] = [createFarResponseStore({ backend }), createFarResponseStore({ backend })]
    await keep(one, 'k', 'shared', ['red'])
    assert.deepEqual(await bodies(other, 'k'), ['shared'])
    const { mark: since } = await one.read('k')
    await other.invalidateTags(['red'])
    assert.deepEqual(await bodies(one, 'k'), [])
    assert.equal(await one.set('k', [sampleResponse('old')], { ttl: 60_000, since, tags: ['red'] }), false)
  })

  it('forgets with the cache’s own values of the same tag, and with everything', async () => {
    const backend = createMemoryBackend()
    const store = createFarResponseStore({ backend })
    const cache = createCache({ far: backend })
    await cache.start()
    await keep(store, 'k', '1', ['product-42'])
    await cache.invalidate({ tags: ['product-42'] })
    assert.deepEqual(await bodies(store, 'k'), [])
    await keep(store, 'k', '2')
    await cache.invalidate({ all: true })
    assert.deepEqual(await bodies(store, 'k'), [])
    await cache.stop()
  })

  it('is asked once for what this process knows the tags of, and again where another process has changed them', async () => {
    const backend = createMemoryBackend()
    let round = 0
    const rounds: number[] = []
    const told = <Methods extends object>(methods: Methods): Methods =>
      new Proxy(methods, {
        get(target, name) {
          rounds.push(round)
          return Reflect.get(target, name)
        },
      })
    const far: FarBackend = { ...backend, entries: told(backend.entries), tags: told(backend.tags) }
    const [one, other] = [createFarResponseStore({ backend }), createFarResponseStore({ backend: far })]
    async function asked(): Promise<[string[], number]> {
      rounds.length = 0
      const reading = bodies(other, 'k')
      // What is asked for in the same turn sets off before anything has answered.
      await Promise.resolve()
      round++
      const found = await reading
      return [found, new Set(rounds).size]
    }
    await keep(one, 'k', 'first', ['red'])
    assert.deepEqual(await asked(), [['first'], 2])
    assert.deepEqual(await asked(), [['first'], 1])
    await keep(one, 'k', 'second', ['red', 'blue'])
    assert.deepEqual(await asked(), [['second'], 2])
    await one.invalidateTags(['blue'])
    assert.deepEqual(await asked(), [[], 1])
  })

  it('bounds keys and tags', async () => {
    const store = createFarResponseStore({ backend: createMemoryBackend() })
    const [key, tag] = [`http://a/${'x'.repeat(2_000)}`, `address ${'y'.repeat(2_000)}`]
    await keep(store, key, '1', [tag])
    assert.deepEqual(await bodies(store, key), ['1'])
    await store.invalidateTags([tag])
    assert.deepEqual(await bodies(store, key), [])
  })
})

describe('a shared store that is away', () => {
  /** The store, and a switch that makes every call fail or hang. */
  function switched(clock: FakeClock) {
    const backend = createMemoryBackend({ clock })
    const line = { mode: 'up' as 'up' | 'down' | 'silent' }
    const through = <Methods extends object>(methods: Methods): Methods =>
      new Proxy(methods, {
        get: (target, name) => (line.mode === 'up' ? Reflect.get(target, name) : () => absent(line.mode)),
      })
    const far: FarBackend = { ...backend, entries: through(backend.entries), tags: through(backend.tags) }
    return { line, store: createFarResponseStore({ backend: far, clock }) }
  }
  const absent = (mode: 'up' | 'down' | 'silent') =>
    mode === 'down' ? Promise.reject(new Error('away')) : new Promise(() => {})

  it('is empty, takes nothing, and rejects invalidations', async () => {
    const { line, store } = switched(new FakeClock())
    await keep(store, 'k', '1')
    line.mode = 'down'
    assert.deepEqual(await bodies(store, 'k'), [])
    assert.equal(await keep(store, 'k', '2'), false)
    await assert.rejects(async () => store.delete('k'), /away/)
  })

  it('is not believed again before it knows what it has missed', async () => {
    const { line, store } = switched(new FakeClock())
    for (const key of ['a', 'b', 'c']) await keep(store, key, key, [`tag-${key}`])
    line.mode = 'down'
    await assert.rejects(async () => store.delete('a'))
    await assert.rejects(async () => store.invalidateTags(['tag-b']))
    line.mode = 'up'
    assert.deepEqual([await bodies(store, 'a'), await bodies(store, 'b'), await bodies(store, 'c')], [[], [], ['c']])
  })

  it('still owes what was added again while it was being told', async () => {
    const gates: PromiseWithResolvers<void>[] = []
    const backend = createMemoryBackend()
    const far: FarBackend = {
      ...backend,
      entries: {
        ...backend.entries,
        async invalidate(keys) {
          const gate = Promise.withResolvers<void>()
          gates.push(gate)
          await gate.promise
          await backend.entries.invalidate(keys)
        },
      },
    }
    const store = createFarResponseStore({ backend: far })
    const [first, second] = [store.delete('k'), store.delete('k')]
    gates[0]!.resolve()
    await first
    await keep(createFarResponseStore({ backend }), 'k', 'from between')
    gates[1]!.reject(new Error('away'))
    await assert.rejects(async () => second, /away/)
    const reading = bodies(store, 'k')
    await new Promise((resolve) => setImmediate(resolve))
    gates[2]!.resolve()
    assert.deepEqual(await reading, [])
  })

  it('forgets everything when it has missed more than can be remembered', async () => {
    const { line, store } = switched(new FakeClock())
    await keep(store, 'k', '1')
    line.mode = 'down'
    for (let i = 0; i <= 10_000; i++) await assert.rejects(async () => store.delete(`other-${i}`))
    line.mode = 'up'
    assert.deepEqual(await bodies(store, 'k'), [])
  })

  it('holds nobody up longer than its time limit', async () => {
    const clock = new FakeClock()
    const { line, store } = switched(clock)
    line.mode = 'silent'
    const reading = bodies(store, 'k')
    await clock.advance(100)
    assert.deepEqual(await reading, [])
    const forgetting = assert.rejects(async () => store.delete('k'), { code: 'E_RESPONSE_STORE' })
    await clock.advance(100)
    await forgetting
    assert.equal(clock.pending, 0)
  })
})

describe('a record of responses', () => {
  const record = { key: 'k', tags: [['red', 7]] as const, variants: [sampleResponse('one'), sampleResponse('two')] }

  it('is read as it was written', () => assert.deepEqual(decodeRecord(encodeRecord(record), 'k'), record))
  it('is nothing under another key', () => assert.equal(decodeRecord(encodeRecord(record), 'l'), undefined))
  it('is nothing when it is cut short, however short', () => {
    const whole = encodeRecord(record)
    for (let length = 0; length < whole.length; length++)
      assert.equal(decodeRecord(whole.subarray(0, length), 'k'), undefined)
  })
})
