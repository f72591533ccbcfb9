import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  type BatchContext,
  type CacheOptions,
  createCache,
  type NamespaceDefinition,
  type StandardSchema,
} from '@tailwater/cache'
import { backgroundError, hasCode, listen, notice } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { startCluster } from './cluster.ts'

function open(options: CacheOptions = {}) {
  const clock = new FakeClock()
  return { clock, cache: createCache({ clock, ...options }) }
}

function openNamespace<Value>(definition: NamespaceDefinition<number, Value>, options?: CacheOptions) {
  const { cache, clock } = open(options)
  return { cache, clock, products: cache.define('product', definition) }
}

/** A schema in the smallest form that libraries give theirs. */
function schemaOf<Value>(validate: (value: unknown) => Value | undefined): StandardSchema<Value> {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate(value) {
        const output = validate(value)
        return output === undefined ? { issues: [{ message: 'not a product', path: ['id'] }] } : { value: output }
      },
    },
  }
}

describe('a namespace', () => {
  it('loads by id, and forgets one id alone, several, or all', async () => {
    let loads = 0
    const { products } = openNamespace({ load: async (id) => `${id}/${++loads}` })
    const ask = async () => [await products.get(1), await products.get(2)]
    assert.deepEqual(await ask(), ['1/1', '2/2'])
    await products.invalidate(1)
    assert.deepEqual(await ask(), ['1/3', '2/2'])
    await products.invalidateMany([1, 2])
    assert.deepEqual(await ask(), ['1/4', '2/5'])
    await products.invalidateAll()
    assert.deepEqual(await ask(), ['1/6', '2/7'])
  })

  it('has its keys, its counts and its name for itself', async () => {
    const { cache, products } = openNamespace({ load: async (id) => `product ${id}` })
    await cache.getOrSet({ key: 'product:1', load: () => 'other' })
    assert.equal(await products.get(1), 'product 1')
    assert.equal(await cache.get('product:1'), 'other')
    assert.equal(await cache.get('\0product:1').catch(() => 'refused'), 'refused')
    assert.equal(await cache.getOrSet({ key: '\0product:1', load: () => 'mine' }).catch(() => 'refused'), 'refused')
    const { namespaces } = cache.stats()
    assert.deepEqual([namespaces['product']?.entries, namespaces['default']?.entries], [1, 1])
    for (const taken of ['product', 'default', 'Not a word'])
      assert.throws(() => cache.define(taken, { load: async (id: number) => id }), { code: 'E_OPTIONS' })
  })

  it('may have a near tier of its own, or none', async () => {
    const { cache } = open({ near: { maxEntries: 100 } })
    const small = cache.define('small', { near: { maxEntries: 2 }, load: async (id: number) => id })
    const none = cache.define('none', { near: false, load: async (id: number) => id })
    for (let id = 0; id < 10; id++) {
      await small.get(id)
      await none.get(id)
    }
    assert.deepEqual([small.stats().entries, none.stats().entries, none.stats().loads], [2, 0, 10])
    await small.invalidate(9)
    assert.equal(small.getSync(9), undefined)
    await cache.invalidate({ namespace: 'small', pattern: '*' })
    assert.equal(small.stats().entries, 0)
  })

  it('asks for many with one load of those that are missing, each once', async () => {
    const asked: number[][] = []
    const loadMany = async (ids: readonly number[]) => {
      asked.push([...ids])
      return ids.map((id) => `p${id}`)
    }
    const { products } = openNamespace<string>({ loadMany })
    await products.get(2)
    assert.deepEqual(await products.getMany([1, 2, 3, 1]), ['p1', 'p2', 'p3', 'p1'])
    assert.deepEqual(asked, [[2], [1, 3]])
  })

  it('joins what is being loaded already when it is asked for many', async () => {
    const asked: number[][] = []
    const gate = Promise.withResolvers<void>()
    const loadMany = async (ids: readonly number[]) => {
      asked.push([...ids])
      await gate.promise
      return new Map(ids.map((id) => [id, id * 10]))
    }
    const { products } = openNamespace<number>({ loadMany })
    const both = [products.getMany([1, 2]), products.getMany([2, 3])]
    gate.resolve()
    assert.deepEqual(await Promise.all(both), [
      [10, 20],
      [20, 30],
    ])
    assert.deepEqual(asked, [[1, 2], [3]])
  })

  it('lets a load of many fail for one, and say how long each result lives', async () => {
    const loadMany = async (ids: readonly number[], context: BatchContext<number, string>) => {
      context.of(1).setTtl('1s')
      return ids.map((id) => (id === 3 ? new Error('no such product') : `p${id}`))
    }
    const { products, clock } = openNamespace<string>({ loadMany })
    await assert.rejects(products.getMany([1, 2, 3]), /no such product/)
    await clock.advance(1_000)
    assert.deepEqual([products.getSync(1), products.getSync(2)], [undefined, 'p2'])
  })

  it('refuses a load of many that brings something else', async () => {
    for (const result of [[], 'text', undefined, [1, 2, 3]]) {
      const { products } = openNamespace<number>({ loadMany: async () => result as number[] })
      await assert.rejects(products.getMany([1, 2]), { code: 'E_CACHE_LOAD_RESULT' })
    }
  })

  it('refuses values that its schema does not know, from the source and from the far tier', async () => {
    const cluster = await startCluster()
    const [a, b] = cluster.nodes
    const schema = schemaOf((value) =>
      typeof value === 'object' && value !== null && 'id' in value ? (value as { id: number }) : undefined,
    )
    const strict = b!.cache.define('product', { schema, load: async (id: number) => ({ id }) })
    const loose = a!.cache.define('product', { load: async (id: number) => ({ price: id }) as unknown })
    await loose.get(1)
    await cluster.settle()
    assert.deepEqual(await strict.get(1), { id: 1 })
    await assert.rejects(strict.set(2, { price: 3 } as never), { code: 'E_CACHE_SCHEMA', message: /id: not a product/ })
  })

  it('can have its lifetime changed while it runs', async () => {
    let loads = 0
    const { products, clock } = openNamespace({ ttl: '1m', load: async () => ++loads })
    products.configure({ ttl: '1s' })
    assert.equal(products.ttl, 1_000)
    await products.get(1)
    await clock.advance(1_000)
    assert.equal(await products.get(1), 2)
    assert.throws(() => products.configure({ ttl: Number.NaN }), { code: 'E_OPTIONS' })
  })

  it('says whether it has something, and gives it a new life', async () => {
    const cluster = await startCluster()
    const [a, b] = cluster.nodes.map(({ cache }) =>
      cache.define('product', { ttl: '10s', load: async (id: number) => id }),
    )
    await a!.set(1, 7)
    await cluster.settle()
    await cluster.clock.advance(9_000)
    assert.deepEqual([await a!.has(1), await b!.has(1), await b!.has(2)], [true, true, false])
    assert.deepEqual([await a!.touch(1), await a!.touch(2)], [true, false])
    await cluster.clock.advance(9_000)
    assert.deepEqual([a!.getSync(1), await b!.get(1)], [7, 7])
    await cluster.clock.advance(1_000)
    assert.equal(await a!.has(1), false)
  })

  it('tells a misspelt option by name', () => {
    const { cache } = open()
    assert.throws(() => cache.define('product', { lod: () => 1 } as never), /did you mean 'load'/)
    assert.throws(() => createCache({ ttll: 5 } as never), /did you mean 'ttl'/)
  })
})

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

describe('the key browser', () => {
  it('shows keys of both tiers, some at a time, with their size and time', async () => {
    const cluster = await startCluster({ nodes: 1 })
    const { cache } = cluster.nodes[0]!
    await cache.setMany(
      Array.from({ length: 25 }, (_, i) => [`k${i}`, i] as const),
      { ttl: '10s' },
    )
    for (const tier of ['near', 'far'] as const) {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const page = await cache.keys({
          tier,
          limit: 10,
          pattern: 'default:k*',
          ...(cursor === undefined ? {} : { cursor }),
        })
        for (const { key, bytes, ttl } of page.keys) {
          seen.push(key)
          assert.ok(bytes > 0 && ttl > 0 && ttl <= 10_000)
        }
        cursor = page.next
      } while (cursor !== undefined)
      assert.equal(new Set(seen).size, 25, tier)
    }
    await cluster.stop()
  })

  it('shows what is under a key, without what nobody should read', async () => {
    const cluster = await startCluster({ nodes: 1 })
    const { cache } = cluster.nodes[0]!
    const value = {
      name: 'Ada',
      password: 'secret',
      deep: { apiKey: 'k', list: [1, { token: 't' }] },
      long: 'x'.repeat(1_000),
    }
    await cache.set('user:1', value, { tags: ['people'], ttl: '10s', grace: '5s' })
    const details = await cache.inspect('default:user:1')
    const preview = details?.preview as typeof value
    assert.deepEqual(
      [preview.name, preview.password, preview.deep, preview.long.length < 300],
      ['Ada', '(hidden)', { apiKey: '(hidden)', list: [1, { token: '(hidden)' }] }, true],
    )
    for (const tier of [details?.near, details?.far])
      assert.deepEqual([tier?.tags, tier?.freshFor, tier?.usableFor, tier?.isValid], [['people'], 10_000, 15_000, true])
    assert.equal(await cache.inspect('default:nothing'), undefined)
    await cluster.stop()
  })

  it('hides what it is told to hide', async () => {
    const { cache } = open({ redact: ['name', /^n/] })
    await cache.set('a', { name: 1, number: 2, other: 3 })
    assert.deepEqual((await cache.inspect('default:a'))?.preview, { name: '(hidden)', number: '(hidden)', other: 3 })
  })
})

describe('look-ups of many keys', () => {
  it('load what is missing with one call, over all processes', async () => {
    const cluster = await startCluster()
    const [a, b] = cluster.nodes
    const asked: string[][] = []
    const wanted = {
      keys: ['a', 'b', 'c', 'b'],
      async load(keys: readonly string[]) {
        asked.push([...keys])
        return keys.map((key) => `${key}!`)
      },
    }
    await a!.cache.set('a', 'set')
    assert.deepEqual(await a!.cache.getOrSetMany(wanted), ['set', 'b!', 'c!', 'b!'])
    await cluster.settle()
    assert.deepEqual(await b!.cache.getOrSetMany(wanted), ['set', 'b!', 'c!', 'b!'])
    assert.deepEqual(asked, [['b', 'c']])
    assert.deepEqual(await b!.cache.getMany(['a', 'nothing']), ['set', undefined])
    await cluster.stop()
  })

  it('wait for what another process loads, and do not hold up the rest', async () => {
    const cluster = await startCluster()
    const [a, b] = cluster.nodes
    const gate = Promise.withResolvers<string>()
    const first = a!.cache.getOrSet({ key: 'x', load: () => gate.promise })
    await cluster.settle()
    const asked: string[][] = []
    const load = async (keys: readonly string[]) => {
      asked.push([...keys])
      return keys.map((key) => key)
    }
    const many = b!.cache.getOrSetMany({ keys: ['x', 'y'], load })
    await cluster.settle()
    assert.equal(b!.cache.getSync('y'), 'y')
    gate.resolve('from a')
    await cluster.clock.advance(100)
    assert.deepEqual([await first, await many, asked], ['from a', ['from a', 'y'], [['y']]])
    await cluster.stop()
  })
})
