import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { type Cache, type CacheOptions, createCache, createMemoryBackend, type FarBackend } from '@tailwater/cache'
import { cacheMigrations, createPostgresBackend } from '@tailwater/cache/postgres'
import { createOutbox, createPostgresBus, type Database, tailwaterMigrations } from '@tailwater/postgres'
import { createTestSchema } from '@tailwater/postgres/testing'

/** Two processes on one database, in real time. */
async function home(farOf: (database: Database, schema: string) => FarBackend | undefined) {
  const ground = await createTestSchema({ modules: [tailwaterMigrations, cacheMigrations] })
  const { database, schema } = ground
  await database.query(`CREATE TABLE ${schema}.product (id int PRIMARY KEY, price int)`)
  await database.query(`INSERT INTO ${schema}.product VALUES (1, 10)`)
  const stops: (() => Promise<void>)[] = []
  async function node(options: CacheOptions = {}): Promise<Cache> {
    const outbox = createOutbox({ database, schema })
    const bus = createPostgresBus({ outbox })
    const far = farOf(database, schema)
    const cache = createCache({ bus, outbox, ttl: '1h', ...(far ? { far } : {}), ...options })
    for (const service of [outbox, bus, cache]) await service.start()
    stops.unshift(async () => {
      for (const service of [cache, bus, outbox]) await service.stop()
    })
    return cache
  }
  after(async () => {
    for (const stop of stops) await stop()
    await ground.close()
  })
  const load = async () =>
    (await database.query<{ price: number }>(`SELECT price FROM ${schema}.product`)).rows[0]!.price
  const price = (cache: Cache) => cache.getOrSet({ key: 'price', tags: ['prices'], load })
  /** Resolves when the process reads that price. */
  async function reads(cache: Cache, wanted: number): Promise<void> {
    while ((await price(cache)) !== wanted) await new Promise((resolve) => setImmediate(resolve))
  }
  return { ...ground, node, price, reads }
}

const stores: Record<string, () => (database: Database, schema: string) => FarBackend | undefined> = {
  'no far tier': () => () => undefined,
  'a far tier in memory': () => {
    const store = createMemoryBackend()
    return () => store
  },
  'a far tier in PostgreSQL': () => (database, schema) => createPostgresBackend({ database, schema }),
}

for (const [name, farOf] of Object.entries(stores))
  describe(`with ${name}, an invalidation in a transaction`, () => {
    for (const what of [{ keys: ['price'] }, { tags: ['prices'] }])
      it(`by ${Object.keys(what)} happens everywhere when it commits, here at once`, async () => {
        const { database, schema, node, price, reads } = await home(farOf())
        const [a, b] = [await node(), await node()]
        await reads(a, 10)
        await reads(b, 10)
        await database.transaction(async (tx) => {
          await tx.query(`UPDATE ${schema}.product SET price = 11`)
          await a.invalidate(what, { tx })
          assert.equal(await price(a), 10)
        })
        assert.equal(await price(a), 11)
        await reads(b, 11)
      })

    it('does not happen when it is rolled back', async () => {
      const { database, schema, node, reads } = await home(farOf())
      const a = await node()
      await reads(a, 10)
      const loads = () => a.stats().namespaces['default']!.loads
      const before = loads()
      const failed = database.transaction(async (tx) => {
        await tx.query(`UPDATE ${schema}.product SET price = 11`)
        await a.invalidate({ keys: ['price'] }, { tx })
        throw new Error('no')
      })
      await assert.rejects(failed, /no/)
      await reads(a, 10)
      assert.equal(loads(), before)
    })

    it('of a library that tells of no commit happens too', async () => {
      const { database, schema, node, reads } = await home(farOf())
      const a = await node()
      await reads(a, 10)
      await database.transaction(async (tx) => {
        const foreign = { query: (text: string, values?: unknown[]) => tx.query(text, values) }
        await foreign.query(`UPDATE ${schema}.product SET price = 11`)
        await a.invalidate({ keys: ['price'] }, { tx: foreign })
      })
      await reads(a, 11)
    })
  })

describe('a process without a far tier', () => {
  it('forgets with its own commit once, and what it has read since stays', async () => {
    const { database, schema, node, price, reads } = await home(() => undefined)
    const [a, b] = [await node(), await node()]
    await reads(a, 10)
    await reads(b, 10)
    const loads = () => a.stats().namespaces['default']!.loads
    const before = loads()
    await database.transaction(async (tx) => {
      await tx.query(`UPDATE ${schema}.product SET price = 11`)
      await a.invalidate({ keys: ['price'] }, { tx })
    })
    assert.equal(await price(a), 11)
    await reads(b, 11)
    // The bus keeps the order: who has heard of the second has heard of the first.
    await b.invalidate({ keys: ['another'] })
    await a.getOrSet({ key: 'another', load: () => 'old' })
    await database.transaction(async (tx) => {
      await b.invalidate({ keys: ['another'] }, { tx })
    })
    while (a.getSync('another') !== undefined) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(a.getSync('price'), 11)
    assert.equal(loads(), before + 2)
  })

  it('forgets when the news comes, if it was never told of its commit', async () => {
    const { database, schema, node, reads } = await home(() => undefined)
    const a = await node()
    await reads(a, 10)
    await database.transaction(async (tx) => {
      await tx.query(`UPDATE ${schema}.product SET price = 11`)
      const query = (text: string, values?: unknown[]) => tx.query(text, values)
      // As when the answer to the COMMIT gets lost.
      await a.invalidate({ keys: ['price'] }, { tx: { query, afterCommit() {} } })
    })
    await reads(a, 11)
  })
})

it('an invalidation in a transaction needs something that carries it', async () => {
  await assert.rejects(createCache().invalidate({ keys: ['a'] }, { tx: {} }), { code: 'E_CACHE_TRANSACTION' })
})
