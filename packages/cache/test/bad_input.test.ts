import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCache } from '@tailwater/cache'
import { hasCode } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { startCluster } from './cluster.ts'

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
      () => cache.invalidate({ all: true, namespace: 'No Such' }),
      () => users.invalidateMany('ab' as never),
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
      () => cache.setMany('abc' as never),
      () => cache.setMany(['abc'] as never),
      () => cache.define('some', {}).warm('abc' as never),
      () => cache.follow({} as never),
    ])
  })

  it('takes no bare number for a lifetime: neither a ttl as other caches have it, nor the index that map hands on', async () => {
    const cache = open()
    const users = cache.define<string, string>('user', {})
    await users.setMany([
      ['a', 'x'],
      ['b', 'x'],
    ])
    await refuses('E_OPTIONS', [
      () => cache.set('a', 1, 60 as never),
      () => cache.set('a', 1, null as never),
      () => Promise.all(['a', 'b'].map(users.touch as never)),
      () => Promise.all(['a', 'b'].map(users.invalidate as never)),
    ])
    assert.deepEqual(await Promise.all(['a', 'b'].map(users.get)), ['x', 'x'])
    assert.equal(await users.touch('a', { ttl: '1h', grace: '1m' }), true)
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

describe('a value of which JSON would make something else', () => {
  it('is refused where it is set in development; a loaded one is handed out, and stays near', async () => {
    const { nodes, settle } = await startCluster()
    const [a, b] = [nodes[0]!.cache, nodes[1]!.cache]
    for (const value of [new Map([[1, 2]]), { at: new Set([1]) }, { bytes: Buffer.from('a') }, [Number.NaN]])
      await refuses('E_CACHE_VALUE', [() => a.set('a', value)])
    assert.deepEqual(await a.getOrSet({ key: 'b', load: () => new Map([[1, 2]]) }), new Map([[1, 2]]))
    await settle()
    assert.deepEqual([a.getSync('b'), await b.get('b')], [new Map([[1, 2]]), undefined])
  })
})
