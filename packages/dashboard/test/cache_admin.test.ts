import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Cache, type CacheOptions, createCache, createMemoryBackend } from '@tailwater/cache'
import { createRedisBackend } from '@tailwater/cache/redis'
import { createRedis } from '@tailwater/redis'
import { startRedis } from '@tailwater/redis/testing'
import { changesTold, openAdmin } from './admin_fixture.ts'

interface State {
  namespaces: { name: string; nearHits: number; loads: number; entries: number }[]
  near: { entries: number }
  far: { backend: string; breaker: string } | null
  busSilence: number | null
  warming: { namespace: string; running: boolean; loaded: number; failed: number; error: string | null }[]
}

interface KeyList {
  data: { key: string; bytes: number; ttl: number }[]
  page: { next: string | null; limit: number }
}

async function openCache(t: TestContext, options: CacheOptions = {}) {
  const cache = createCache({ ttl: '5m', farTimeout: '30s', ...options })
  await cache.start()
  t.after(() => cache.stop())
  return { cache, ...(await openAdmin(t, { cache, realClock: true })) }
}

/** All pages of a list. */
async function allKeys(call: Awaited<ReturnType<typeof openAdmin>>['call'], query: string): Promise<string[]> {
  const found = new Set<string>()
  let cursor: string | null = null
  do {
    const after: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const { status, body } = await call<KeyList>('GET', `/cache/keys?${query}${after}`)
    assert.equal(status, 200)
    for (const { key } of body.data) found.add(key)
    cursor = body.page.next
  } while (cursor !== null)
  return [...found].sort()
}

const productOf = (id: number) => ({ id, name: `no. ${id}`, password: 'hunter2' })

/** Keeps products in both tiers: a set has been to the far one when it resolves, which a load has not. */
async function fill(cache: Cache, ids: readonly number[]): Promise<void> {
  await product(cache).setMany(ids.map((id) => [id, productOf(id)] as const))
}

function product(cache: Cache, warm?: () => number[]) {
  return cache.define('product', {
    load: productOf,
    tags: ['catalog'],
    ...(warm ? { warm } : {}),
  })
}

test('the state names each namespace, both tiers and the breaker', async (t) => {
  const { cache, call } = await openCache(t, { far: createMemoryBackend() })
  const products = product(cache)
  await products.get(1)
  await products.get(1)
  const { status, body } = await call<State>('GET', '/cache')
  assert.equal(status, 200)
  const found = body.namespaces.find(({ name }) => name === 'product')
  assert.deepEqual([found?.loads, found?.nearHits, found?.entries], [1, 1, 1])
  assert.deepEqual([body.near.entries, body.far?.backend, body.far?.breaker], [1, 'memory', 'closed'])
})

test('without a far tier there is none in the state, and none to look for keys in', async (t) => {
  const { call } = await openCache(t)
  assert.equal((await call<State>('GET', '/cache')).body.far, null)
  const { status, problem } = await call('GET', '/cache/keys?tier=far')
  assert.deepEqual([status, problem.errors?.[0]?.path], [400, '/query/tier'])
})

test('keys are found by a pattern, page by page, in both tiers', async (t) => {
  const { cache, call } = await openCache(t, { far: createMemoryBackend() })
  const ids = Array.from({ length: 25 }, (_, id) => id)
  await fill(cache, ids)
  await cache.set('other', 1)
  const wanted = ids.map((id) => `product:${id}`).sort()
  for (const tier of ['near', 'far'])
    assert.deepEqual(await allKeys(call, `tier=${tier}&limit=7&pattern=product:*`), wanted, tier)
  assert.deepEqual(await allKeys(call, 'pattern=default:*'), ['default:other'])
})

test('a key in detail has its tags and lifetimes, and a preview without secrets', async (t) => {
  const { cache, call } = await openCache(t, { far: createMemoryBackend() })
  await fill(cache, [7])
  const { status, body } = await call<{
    near: { tags: string[]; freshFor: number; isValid: boolean }
    far: { tags: string[]; bytes: number }
    preview: Record<string, unknown>
  }>('GET', '/cache/keys/product%3A7')
  assert.equal(status, 200)
  assert.deepEqual([body.near.tags, body.far.tags, body.near.isValid], [['catalog'], ['catalog'], true])
  assert.ok(body.near.freshFor > 0 && body.far.bytes > 0)
  assert.deepEqual(body.preview, { id: 7, name: 'no. 7', password: '(hidden)' })
  const nothing = await call('GET', '/cache/keys/product%3A8')
  assert.deepEqual([nothing.status, nothing.problem.code], [404, 'E_NOT_FOUND'])
})

test('keys, tags, patterns, namespaces and everything are invalidated, and it is told who did it', async (t) => {
  const told = changesTold(t)
  const { cache, call } = await openCache(t, { far: createMemoryBackend() })
  const products = product(cache)
  for (const [method, path, body] of [
    ['DELETE', '/cache/keys/product%3A1', undefined],
    ['POST', '/cache/invalidate', { keys: ['1'], namespace: 'product' }],
    ['POST', '/cache/invalidate', { tags: ['catalog'] }],
    ['POST', '/cache/invalidate', { pattern: '1*', namespace: 'product' }],
    ['POST', '/cache/invalidate', { all: true, namespace: 'product' }],
    ['POST', '/cache/invalidate', { all: true }],
  ] as const) {
    await products.get(1)
    assert.equal(await products.has(1), true)
    const { status } = await call(method, path, body)
    assert.equal(status, 204, JSON.stringify(body))
    assert.equal(await products.has(1), false, JSON.stringify(body))
  }
  assert.equal(told.length, 6)
  assert.deepEqual(
    [told[0]?.actor, told[0]?.action, told[0]?.target, told[2]?.fields['tags']],
    ['ada@example.com', 'cacheKeyDelete', 'product:1', ['catalog']],
  )
})

test('a namespace is warmed in the background, and the state says how far it is', async (t) => {
  const { cache, call } = await openCache(t)
  const gate = Promise.withResolvers<void>()
  let begun = 0
  cache.define('hot', {
    load: async (id: number) => {
      begun++
      await gate.promise
      if (id === 3) throw new Error('no such thing')
      return id
    },
    warm: () => [1, 2, 3],
  })
  const first = await call<State['warming'][0]>('POST', '/cache/warm', { namespace: 'hot' })
  assert.deepEqual([first.status, first.body.running, first.body.loaded], [202, true, 0])
  await call('POST', '/cache/warm', { namespace: 'hot' })
  gate.resolve()
  let state: State['warming'][0] | undefined
  do state = (await call<State>('GET', '/cache')).body.warming[0]
  while (state?.running)
  assert.deepEqual([state?.loaded, state?.failed, state?.error], [2, 1, 'no such thing'])
  assert.equal(begun, 3, 'one that runs is not begun again')
})

test('bad input names its field', async (t) => {
  const { call } = await openCache(t, { far: createMemoryBackend() })
  for (const [method, path, body, place] of [
    ['GET', '/cache/keys?limit=1001', undefined, '/query/limit'],
    ['GET', '/cache/keys?limit=1e9', undefined, '/query/limit'],
    ['GET', '/cache/keys?tier=middle', undefined, '/query/tier'],
    ['GET', '/cache/keys?tier=near&cursor=x', undefined, '/query/cursor'],
    ['GET', '/cache/keys?pattern=', undefined, '/query/pattern'],
    ['GET', `/cache/keys?pattern=${'x'.repeat(600)}`, undefined, '/query/pattern'],
    ['DELETE', '/cache/keys/no-namespace', undefined, '/params/key'],
    ['DELETE', '/cache/keys/product%3A', undefined, '/params/key'],
    ['POST', '/cache/invalidate', {}, '/body'],
    ['POST', '/cache/invalidate', { all: false }, '/body'],
    ['POST', '/cache/invalidate', { tags: ['@all'] }, '/body/tags'],
    ['POST', '/cache/invalidate', { keys: ['ü'.repeat(300)] }, '/body/keys'],
    ['POST', '/cache/invalidate', { pattern: 'ü'.repeat(300) }, '/body/pattern'],
    ['POST', '/cache/invalidate', { keys: ['x'], namespace: 'No' }, '/body/namespace'],
    ['POST', '/cache/invalidate', { keys: ['x'], more: 1 }, '/body/more'],
    ['POST', '/cache/warm', { namespace: 'nobody' }, '/body/namespace'],
  ] as const) {
    const { status, problem } = await call(method, path, body)
    assert.deepEqual([status, problem.errors?.[0]?.path], [400, place], `${path} ${JSON.stringify(body)}`)
  }
})

test('Redis: keys are listed, a foreign cursor is refused before it gets there, and a server that is away is said to be', async (t) => {
  const server = await startRedis()
  t.after(() => server.stop())
  const redis = createRedis({ url: server.url })
  await redis.start()
  t.after(() => redis.stop())
  const { cache, call } = await openCache(t, { far: createRedisBackend({ redis }) })
  await fill(cache, [1, 2, 3])
  assert.deepEqual(await allKeys(call, 'pattern=product:*&limit=1'), ['product:1', 'product:2', 'product:3'])
  const foreign = await call('GET', '/cache/keys?cursor=product:1')
  assert.deepEqual([foreign.status, foreign.problem.errors?.[0]?.path], [400, '/query/cursor'])
  assert.equal((await call<State>('GET', '/cache')).body.far?.breaker, 'closed')
  await server.stop()
  const away = await call('GET', '/cache/keys')
  assert.deepEqual([away.status, away.problem.code], [503, 'E_UNAVAILABLE'])
  assert.equal((await call('GET', '/cache/keys?tier=near')).status, 200)
})

test('everybody with an account may look, administrators may change, strangers nothing', async (t) => {
  const told = changesTold(t)
  const { cache, look, strange } = await openCache(t)
  await product(cache).get(1)
  const reads = ['/cache', '/cache/keys', '/cache/keys/product%3A1']
  const changes = [
    ['DELETE', '/cache/keys/product%3A1', undefined],
    ['POST', '/cache/invalidate', { all: true }],
    ['POST', '/cache/warm', { namespace: 'product' }],
  ] as const
  for (const path of reads) {
    assert.equal((await look('GET', path)).status, 200, path)
    assert.equal((await strange('GET', path)).status, 401, path)
  }
  for (const [method, path, body] of changes) {
    const { status, problem } = await look(method, path, body)
    assert.deepEqual([status, problem.code], [403, 'E_FORBIDDEN'], path)
    assert.equal((await strange(method, path, body)).status, 401, path)
  }
  assert.equal(cache.namespace('product')?.stats().entries, 1)
  assert.deepEqual(told, [])
})

test('without a cache there are no routes for it', async (t) => {
  const { dashboard, call } = await openAdmin(t, {})
  assert.deepEqual(
    dashboard.routes.filter(({ path }) => /cache|queues|jobs|schedules/.test(path)).map(({ path }) => path),
    [],
  )
  assert.equal((await call('GET', '/cache')).status, 404)
})
