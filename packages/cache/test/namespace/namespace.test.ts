import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BatchContext, createCache, type StandardSchema } from '@tailwater/cache'
import { startCluster } from '../cluster.ts'
import { open, openNamespace } from '../open_cache.ts'

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

  it('can have its calls passed on', async () => {
    const { products } = openNamespace({ load: async (id) => `product ${id}` })
    const { get, getSync, getMany, invalidate } = products
    assert.deepEqual(await Promise.all([1, 2].map(get)), ['product 1', 'product 2'])
    assert.deepEqual([1, 2].map(getSync), ['product 1', 'product 2'])
    await invalidate(1)
    assert.equal(getSync(1), undefined)
    assert.deepEqual(await getMany([1, 2]), ['product 1', 'product 2'])
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

it('tags of a call come to those of the namespace and of the cache, and take none of them away', async () => {
  const { cache, products } = openNamespace<string>({ tags: ['products'] }, { tags: ['shop'] })
  for (const tag of ['shop', 'products', 'lamps']) {
    await products.set(1, 'x', { tags: ['lamps', 'products'] })
    await cache.invalidate({ tags: [tag] })
    assert.equal(await products.get(1), undefined, tag)
  }
})

it('tags that a load adds one by one are as few as those that it adds at once', async () => {
  const { products } = openNamespace<string>({
    load(id, { addTags }) {
      for (let i = 0; i < 33; i++) addTags(`tag-${i}`)
      return `product ${id}`
    },
  })
  await assert.rejects(products.get(1), { code: 'E_CACHE_TAG' })
})
