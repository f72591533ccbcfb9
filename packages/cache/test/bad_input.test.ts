import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCache } from '@tailwater/cache'
import { hasCode } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'

const open = () => createCache({ clock: new FakeClock() })

async function refuses(code: string, calls: readonly (() => unknown)[]): Promise<void> {
  for (const call of calls)
    await assert.rejects(
      async () => call(),
      (error) => hasCode(error, code),
      String(call),
    )
}

describe('a cache that is called wrongly', () => {
  it('refuses an invalidation that is misspelt or of nothing, rather than forget nothing', async () => {
    const cache = open()
    const users = cache.define<string, string>('user', {})
    await refuses('E_OPTIONS', [
      () => cache.invalidate({ key: 'a' } as never),
      () => cache.invalidate({ tag: 'a' } as never),
      () => cache.invalidate({ tags: 'a' } as never),
      () => cache.invalidate({ keys: 'a' } as never),
      () => cache.invalidate({}),
      () => cache.invalidate(undefined as never),
      () => cache.invalidate({ keys: ['a'] }, { transaction: {} } as never),
      () => cache.invalidate({ keys: ['a'] }, { tx: null } as never),
      () => users.invalidate('a', { tX: {} } as never),
      () => users.invalidateMany(['a'], { tX: {} } as never),
      () => users.invalidateAll({ tX: {} } as never),
    ])
    await cache.invalidate({ keys: [], tags: [] })
  })

  it('refuses ids that have no text of their own, so that none is answered with the value of another', async () => {
    const cache = open()
    const load = (id: { tenant: number }) => `of ${id.tenant}`
    const tenants = cache.define<{ tenant: number }, string>('tenant', { load })
    const keyed = cache.define<{ tenant: number }, string>('keyed', { load, key: ({ tenant }) => tenant })
    await refuses('E_CACHE_KEY', [
      () => tenants.get({ tenant: 1 }),
      () => tenants.getMany([{ tenant: 1 }]),
      () => tenants.set({ tenant: 1 }, 'x'),
      () => tenants.get(undefined as never),
      () => keyed.get({} as never),
    ])
    assert.deepEqual(await keyed.getMany([{ tenant: 1 }, { tenant: 2 }]), ['of 1', 'of 2'])
  })

  it('refuses keys and tags that would be another in UTF-8, or end a text', async () => {
    const cache = open()
    await refuses('E_CACHE_KEY', [() => cache.set('\ud800', 1), () => cache.get('a\udc00'), () => cache.set('a\0', 1)])
    await refuses('E_CACHE_TAG', [
      () => cache.set('a', 1, { tags: ['a\0'] }),
      () => cache.invalidate({ tags: ['\ud800'] }),
    ])
    await cache.set('\ud83d\ude00', 1)
    assert.equal(await cache.get('\ud83d\ude00'), 1)
  })

  it('refuses misspelt lifetimes, and what is no list', async () => {
    const cache = open()
    await refuses('E_OPTIONS', [
      () => cache.getOrSet({ key: 'a', ttll: '1h', load: () => 1 } as never),
      () => cache.set('a', 1, { tag: ['b'] } as never),
      () => cache.getMany('abc' as never),
      () => cache.getOrSetMany({ keys: 'abc', load: () => [] } as never),
      () => cache.getOrSetMany({ keys: ['abc'] } as never),
    ])
  })

  it('refuses a definition that is none, and says how values stand in a far tier wrongly though there is none here', async () => {
    const cache = open()
    await refuses('E_OPTIONS', [
      () => cache.define('a', undefined as never),
      () => cache.define('b', { far: { codek: 1 } } as never),
      () => cache.define('c', { far: null } as never),
    ])
  })

  it('pages through its keys from where a page ended, and from nowhere else', async () => {
    const cache = open()
    for (const key of ['a', 'b', 'c']) await cache.set(key, 1)
    const { keys, next } = await cache.keys({ limit: 2 })
    const rest = await cache.keys({ limit: 2, cursor: next! })
    assert.deepEqual([keys.length, rest.keys.length, rest.next], [2, 1, undefined])
    await refuses('E_OPTIONS', [
      () => cache.keys({ limit: -1 }),
      () => cache.keys({ limit: Number.NaN }),
      () => cache.keys({ cursor: 'junk' }),
      () => cache.keys({ patern: 'a*' } as never),
    ])
    await refuses('E_CACHE_KEY', [() => cache.inspect(undefined as never)])
  })
})

describe('a value that a namespace refuses', () => {
  const positive = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'number' && value > 0 ? { value } : { issues: [{ message: 'not positive' }] },
    },
  } as const

  it('does not come to its source, at once or later', async () => {
    const stored: (readonly [string, number])[] = []
    const store = async (id: string, value: number) => void stored.push([id, value])
    const cache = open()
    const through = cache.define<string, number>('through', { schema: positive, store })
    const behind = cache.define<string, number>('behind', { schema: positive, store, writeBehind: true })
    await cache.start()
    for (const namespace of [through, behind]) {
      await refuses('E_CACHE_SCHEMA', [() => namespace.set('a', -1)])
      await refuses('E_CACHE_VALUE', [() => namespace.set('a', Promise.resolve(1) as never)])
      await namespace.set('b', 1)
    }
    await cache.stop()
    assert.deepEqual(stored, [
      ['b', 1],
      ['b', 1],
    ])
  })
})
