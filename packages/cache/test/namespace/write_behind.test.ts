import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backgroundError, listen, notice } from '@tailwater/core'
import { openNamespace } from '../open_cache.ts'

describe('what is set', () => {
  it('is stored first, and not kept when that fails', async () => {
    const stored: [number, string][] = []
    const store = async (id: number, value: string) => {
      if (value === 'bad') throw new Error('constraint violated')
      stored.push([id, value])
    }
    const { products } = openNamespace<string>({ store, load: async () => 'row' })
    await products.set(1, 'good')
    await assert.rejects(products.set(1, 'bad'), /constraint violated/)
    assert.equal(products.getSync(1), 'good')
    assert.deepEqual(stored, [[1, 'good']])
  })

  it('behind the source is stored later, together, the last value of each key', async () => {
    const stored: unknown[] = []
    const storeMany = async (entries: readonly (readonly [number, string])[]) => void stored.push(entries)
    const { products, clock } = openNamespace<string>({ storeMany, writeBehind: { delay: '2s' } })
    await products.set(1, 'a')
    await products.set(2, 'b')
    await products.set(1, 'c')
    assert.deepEqual([products.getSync(1), stored], ['c', []])
    await clock.advance(2_000)
    assert.deepEqual(stored, [
      [
        [1, 'c'],
        [2, 'b'],
      ],
    ])
    assert.equal(clock.pending, 0)
  })

  it('behind the source is what is read until it is stored, though it was evicted', async () => {
    const { products, clock } = openNamespace<string>({
      near: false,
      load: async () => 'old row',
      store: async () => {},
      writeBehind: true,
    })
    await products.set(1, 'new')
    assert.equal(await products.get(1), 'new')
    await clock.advance(1_000)
    assert.equal(await products.get(1), 'old row')
  })

  it('behind the source comes again when it could not be stored, and is told of', async () => {
    let isDown = true
    const stored: unknown[] = []
    const { products, clock } = openNamespace<string>({
      async store(id, value) {
        if (isDown) throw new Error('source is down')
        stored.push([id, value])
      },
      writeBehind: true,
    })
    const told: string[] = []
    const end = listen(backgroundError, ({ error }) => void told.push(error.message))
    await products.set(1, 'a')
    await clock.advance(1_000)
    assert.deepEqual([stored, told], [[], ['source is down']])
    isDown = false
    await clock.advance(1_000)
    end()
    assert.deepEqual(stored, [[1, 'a']])
  })

  it('behind the source is refused when too much waits, and nothing of it is kept', async () => {
    const { products } = openNamespace<string>({ store: async () => {}, writeBehind: { maxQueue: 2 } })
    await products.setMany([
      [1, 'a'],
      [2, 'b'],
    ])
    await assert.rejects(products.set(3, 'c'), { code: 'E_CACHE_QUEUE_FULL' })
    await products.set(2, 'again')
    assert.deepEqual([products.getSync(2), products.getSync(3)], ['again', undefined])
  })

  it('behind the source is stored at the stop, and what cannot be is told of', async () => {
    const stored: unknown[] = []
    const { cache, products } = openNamespace<string>({
      store: async (id) => void stored.push(id),
      writeBehind: { delay: '1h', batch: 2 },
    })
    await cache.start()
    await products.setMany([1, 2, 3, 4, 5].map((id) => [id, 'x'] as const))
    await cache.stop()
    assert.deepEqual(stored, [1, 2, 3, 4, 5])

    const lost = openNamespace<string>({ store: () => new Promise(() => {}), writeBehind: true })
    const told: string[] = []
    const end = listen(notice, ({ message }) => void told.push(message))
    await lost.cache.start()
    await lost.products.set(1, 'x')
    const stopped = lost.cache.stop(lost.clock.elapsed() + 500)
    await lost.clock.advance(500)
    await stopped
    end()
    assert.match(told.join(), /1 values .* are lost/)
  })

  it('needs a store to be written behind', () => {
    assert.throws(() => openNamespace({ writeBehind: true }), { code: 'E_OPTIONS' })
  })
})
