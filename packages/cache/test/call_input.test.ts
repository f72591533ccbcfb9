import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCache } from '@tailwater/cache'
import { hasCode } from '@tailwater/core'
import { open } from './open_cache.ts'

describe('bad input', () => {
  const keys = ['', 'x'.repeat(1_048_576), 'é'.repeat(300), '\0a', 5 as never, null as never, {} as never]

  it('of a key is an error, and nothing else suffers', async () => {
    const { cache } = open()
    await cache.set('good', 1)
    for (const key of keys) {
      for (const act of [
        () => cache.getOrSet({ key, load: () => 1 }),
        () => cache.getOrSetMany({ keys: ['good', key], load: (some) => some.map(() => 1) }),
        () => cache.get(key),
        () => cache.getMany([key]),
        () => cache.set(key, 1),
        () => cache.delete(key),
        () => cache.has(key),
      ])
        await assert.rejects(
          async () => act(),
          (error) => hasCode(error, 'E_CACHE_KEY'),
          `key ${String(key).slice(0, 20)}`,
        )
    }
    assert.equal(await cache.get('good'), 1)
  })

  it('of a lifetime is an error that names it', async () => {
    const { cache } = open()
    for (const ttl of [Number.NaN, -1, 0, Number.POSITIVE_INFINITY, 'soon' as never, null as never])
      await assert.rejects(cache.getOrSet({ key: 'a', ttl, load: () => 1 }), { code: 'E_OPTIONS', message: /ttl/ })
    await assert.rejects(cache.getOrSet({ key: 'a', load: (context) => context.setTtl(Number.NaN) }), {
      code: 'E_OPTIONS',
    })
    for (const option of [{ jitter: 2 }, { grace: -1 }, { eagerRefresh: 7 }, { loadTimeout: 0 }])
      assert.throws(() => createCache(option), { code: 'E_OPTIONS' })
  })

  it('of a tag is an error', async () => {
    const { cache } = open()
    for (const tags of [
      't' as never,
      [''],
      ['@all'],
      ['x'.repeat(300)],
      [5 as never],
      Array.from({ length: 40 }, (_, i) => `t${i}`),
    ])
      await assert.rejects(cache.getOrSet({ key: 'a', tags, load: () => 1 }), { code: 'E_CACHE_TAG' })
    await assert.rejects(cache.invalidate({ tags: ['@all'] }), { code: 'E_CACHE_TAG' })
  })

  it('of a load is an error', async () => {
    const { cache } = open()
    await assert.rejects(cache.getOrSet({ key: 'a' } as never), { code: 'E_OPTIONS' })
    await assert.rejects(
      cache.getOrSet({
        key: 'b',
        load: () => {
          throw new Error('at once')
        },
      }),
      /at once/,
    )
  })
})
