import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Cache } from '@tailwater/cache'
import {
  addCategory,
  addCustomer,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

describe('what the merchant keeps', () => {
  let app: MerchantApp
  let cache: Cache
  let gifts: TestMerchant
  let tools: TestMerchant
  let category: number

  before(async () => {
    app = await startMerchantApp()
    cache = app.cache
    gifts = await addMerchant(app, 'gifts')
    tools = await addMerchant(app, 'tools')
    category = await addCategory(app, 'things')
  })
  after(() => app.close())

  const statsOf = (name: string) => cache.stats().namespaces[name]!

  it('answers the same question once from the database, whoever asks', async () => {
    await addProduct(app, { merchantId: gifts.id, categoryId: category, sku: 'A1' })
    const { loads, nearHits } = statsOf('product-list')
    const first = await app.ask('GET', '/api/products?category=things')
    const again = await app.ask('GET', '/api/products?limit=20&category=things', { token: tools.token })
    assert.deepEqual(again.body, first.body)
    assert.equal(first.headers['etag'], again.headers['etag'])
    assert.equal(statsOf('product-list').loads, loads + 1)
    assert.equal(statsOf('product-list').nearHits, nearHits + 1)
  })

  it("has a merchant's drafts under no key", async () => {
    const id = await addProduct(app, { merchantId: gifts.id, categoryId: category, sku: 'D1', status: 'draft' })
    const before = [statsOf('product-list').entries, statsOf('product').entries]
    const own = { token: gifts.token }
    assert.equal((await app.ask('GET', '/api/products?status=draft', own)).body.data.length, 1)
    assert.equal((await app.ask('GET', `/api/products/${id}`, own)).status, 200)
    assert.equal((await app.ask('GET', `/api/products/${id}`)).status, 404)
    assert.equal((await app.ask('GET', '/api/products?status=draft', { token: tools.token })).body.data.length, 0)
    assert.deepEqual([statsOf('product-list').entries, statsOf('product').entries], before)
  })

  it('gives each merchant its own figures and listings for the same question', async () => {
    const product = await addProduct(app, { merchantId: gifts.id, categoryId: category, sku: 'F1' })
    const customer = await addCustomer(app, gifts.id, 'ada@example.com')
    const lines = [{ productId: product, quantity: 1 }]
    const order = { customerId: customer, lines, payment: { token: 'tok_visa' } }
    const placed = await app.ask('POST', '/api/orders', {
      token: gifts.token,
      body: order,
      headers: { 'idempotency-key': 'kept-1' },
    })
    assert.equal(placed.status, 201)
    await app.rows(`INSERT INTO $schema.marketplaces (slug, name) VALUES ('bazaar', 'Bazaar')`)
    const listing = { externalId: 'X1', price: 11 }
    const marketplace = (await app.ask('GET', '/api/marketplaces', { token: gifts.token })).body.data[0].id
    const put = `/api/products/${product}/listings/${marketplace}`
    assert.equal((await app.ask('PUT', put, { token: gifts.token, body: listing })).status, 200)
    for (const _ of ['from the database', 'from the cache'])
      for (const [{ token }, expected] of [[gifts, 1] as const, [tools, 0] as const]) {
        assert.equal((await app.ask('GET', '/api/analytics/summary', { token })).body.orders, expected)
        assert.equal((await app.ask('GET', '/api/listings', { token })).body.data.length, expected)
      }
    assert.ok(statsOf('analytics').nearHits >= 2 && statsOf('listing').nearHits >= 2)
    await app.ask('PUT', put, { token: gifts.token, body: { ...listing, price: 12 } })
    assert.equal((await app.ask('GET', '/api/listings', { token: gifts.token })).body.data[0].price, 12)
  })

  it('bounds what strangers can make it keep by asking for ever other things', async () => {
    for (let price = 0; price < 1_100; price++) await app.ask('GET', `/api/products?minPrice=${price}`)
    assert.ok(statsOf('product-search').entries <= 1_000)
  })

  it('has the best sellers and first pages before anybody asks', async () => {
    const warmUp = app.merchant.services.find(({ name }) => name === 'warm-up')!
    await cache.clear()
    await warmUp.start()
    await app.warmed
    await warmUp.stop()
    const [sold] = await app.rows<{ id: number }>('SELECT product_id::float8 AS id FROM $schema.order_lines LIMIT 1')
    const before = { products: statsOf('product').loads, lists: statsOf('product-list').loads }
    assert.equal((await app.ask('GET', `/api/products/${sold!.id}`)).status, 200)
    assert.equal((await app.ask('GET', '/api/products')).status, 200)
    assert.equal((await app.ask('GET', `/api/products?category=${category}`)).status, 200)
    assert.deepEqual({ products: statsOf('product').loads, lists: statsOf('product-list').loads }, before)
  })
})
