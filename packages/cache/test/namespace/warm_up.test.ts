import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { backgroundError, listen } from '@tailwater/core'
import { openNamespace } from '../open_cache.ts'

describe('warming', () => {
  it('loads ids before anybody asks, some at a time, and tells how far it is', async () => {
    let running = 0
    let most = 0
    const { products } = openNamespace<number>({
      async load(id) {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        if (id === 5) throw new Error('no such product')
        return id
      },
    })
    async function* ids() {
      for (let id = 0; id < 20; id++) yield id
    }
    const progress: number[] = []
    const result = await products.warm(ids(), {
      concurrency: 3,
      onProgress: ({ loaded, failed }) => void progress.push(loaded + failed),
    })
    assert.deepEqual([result.loaded, result.failed, result.error?.message, most], [19, 1, 'no such product', 3])
    assert.deepEqual(progress.at(-1), 20)
    assert.equal(products.getSync(19), 19)
  })

  it('loads many at once where it can', async () => {
    const sizes: number[] = []
    const { products } = openNamespace<number>({
      async loadMany(ids) {
        sizes.push(ids.length)
        return [...ids]
      },
    })
    await products.warm(
      Array.from({ length: 250 }, (_, i) => i),
      { concurrency: 1 },
    )
    assert.deepEqual(sizes, [100, 100, 50])
  })

  it('ends when its signal aborts, and what was loaded stays', async () => {
    const abort = new AbortController()
    const { products } = openNamespace<number>({
      async load(id) {
        if (id === 2) abort.abort(new Error('enough'))
        return id
      },
    })
    await assert.rejects(products.warm([1, 2, 3, 4], { concurrency: 1, signal: abort.signal }), /enough/)
    assert.deepEqual([products.getSync(1), products.getSync(4)], [1, undefined])
  })

  it('begins with the start, where the definition names what is to be loaded', async () => {
    const { cache, products, clock } = openNamespace<number>({ load: async (id) => id, warm: () => [1, 2, 3] })
    await cache.start()
    for (let turn = 0; turn < 5; turn++) await clock.advance(0)
    assert.deepEqual([products.getSync(1), products.getSync(3)], [1, 3])
    await cache.stop()
    assert.equal(clock.pending, 0)
  })

  it('that goes wrong at the start is told of, and holds nothing up', async () => {
    const told: string[] = []
    const end = listen(backgroundError, ({ source, error }) => void told.push(`${source}: ${error.message}`))
    const { cache, clock } = openNamespace<number>({
      load: async (id) => id,
      warm() {
        throw new Error('no list')
      },
    })
    await cache.start()
    await clock.advance(0)
    end()
    assert.deepEqual(told, ['cache product warm-up: no list'])
    await cache.stop()
  })
})
