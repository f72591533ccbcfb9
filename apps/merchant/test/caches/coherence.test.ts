import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createShopChanges } from '../../src/caches/shop_changes.ts'
import { shopTags } from '../../src/caches/shop_tags.ts'
import { type OpenShop, openTwoShops, type TwoShops, untilHeard } from './two_shops.ts'

describe('two processes that keep answers over one database', () => {
  let shops: TwoShops
  let here: OpenShop
  let there: OpenShop
  let merchant: number
  let customer: number
  let category: number
  let count = 0

  before(async () => {
    shops = await openTwoShops()
    here = shops.here
    there = shops.there
    const { database } = here.platform
    const { rows } = await database.query<{ id: number }>(
      `INSERT INTO ${shops.schema}.merchants (slug, name) VALUES ('gifts', 'Gifts') RETURNING id::float8 AS id`,
    )
    merchant = rows[0]!.id
    category = (await here.send('POST', '/categories', { slug: 'candles', name: 'Candles' })).body.id
    customer = (await here.send('POST', `/customers?merchant=${merchant}`, { name: 'Ada', country: 'France' })).body.id
  })
  after(() => shops.close())

  const added = (more?: object) => untilHeard(() => addProduct(more), shopTags.product)
  const heardOf = <T>(id: number, act: () => Promise<T>) => untilHeard(act, () => shopTags.product(id))

  async function addProduct(more: object = {}): Promise<number> {
    const product = {
      sku: `S${++count}`,
      title: `Candle ${count}`,
      price: 10,
      categoryId: category,
      onHand: 50,
      ...more,
    }
    const { status, body } = await here.send('POST', `/products?merchant=${merchant}`, product)
    assert.equal(status, 201, JSON.stringify(body))
    return body.id
  }

  function checkOut(productId: number, quantity: number) {
    const order = { customerId: customer, lines: [{ productId, quantity }], payment: { token: 'tok_visa' } }
    return here.send('POST', `/orders?merchant=${merchant}`, order, { 'idempotency-key': `k${++count}` })
  }

  const list = () => `/products?category=${category}&limit=20`
  const shownIn = (page: { data: { id: number }[] }, id: number) => page.data.find((row) => row.id === id)
  const available = async ({ get }: OpenShop, id: number) => [
    (await get(`/products/${id}`)).body.available,
    (shownIn((await get(list())).body, id) as { available?: number } | undefined)?.available,
  ]

  it('a change is seen by the next request where it was made, and elsewhere once it is heard of', async () => {
    const id = await added()
    for (const { get } of [here, there]) {
      assert.equal((await get(`/products/${id}`)).body.price, 10)
      assert.ok(shownIn((await get(list())).body, id))
    }
    await heardOf(id, async () => {
      assert.equal((await here.send('PATCH', `/products/${id}`, { price: 12 })).status, 200)
      assert.equal((await here.get(`/products/${id}`)).body.price, 12)
      assert.equal((shownIn((await here.get(list())).body, id) as { price?: number }).price, 12)
    })
    assert.equal((await there.get(`/products/${id}`)).body.price, 12)
    assert.equal((shownIn((await there.get(list())).body, id) as { price?: number }).price, 12)
  })

  it('an order is taken off what is available, in products and in lists, and put back when it is cancelled', async () => {
    const id = await added()
    for (const shop of [here, there]) assert.deepEqual(await available(shop, id), [50, 50])
    const order = await heardOf(id, () => checkOut(id, 3))
    assert.equal(order.status, 201)
    for (const shop of [here, there]) assert.deepEqual(await available(shop, id), [47, 47])
    await heardOf(id, () =>
      here.send('POST', `/orders/${order.body.id}/return`, { lines: [{ ordinal: 1, quantity: 1 }] }),
    )
    for (const shop of [here, there]) assert.deepEqual(await available(shop, id), [48, 48])
    const other = await heardOf(id, () => checkOut(id, 8))
    await heardOf(id, () => here.send('POST', `/orders/${other.body.id}/cancel`))
    for (const shop of [here, there]) assert.deepEqual(await available(shop, id), [48, 48])
  })

  it('products come into lists, move between them and go, and are counted', async () => {
    const other = (await here.send('POST', '/categories', { slug: 'lamps', name: 'Lamps' })).body.id
    const lamps = '/products?category=lamps&total=true'
    assert.equal((await here.get(lamps)).body.page.total, 0)
    const id = await addProduct({ categoryId: other })
    assert.equal((await here.get(lamps)).body.page.total, 1)
    assert.equal((await here.get(`/products?category=${other}`)).body.data.length, 1)
    await here.send('PATCH', `/products/${id}`, { categoryId: category })
    assert.equal((await here.get(lamps)).body.page.total, 0)
    assert.ok(shownIn((await here.get(list())).body, id))
    await here.send('DELETE', `/products/${id}`)
    assert.equal(shownIn((await here.get(list())).body, id), undefined)
    assert.equal((await here.get(`/products/${id}`)).status, 404)
  })

  it('a product that was asked for before there was one is found as soon as there is', async () => {
    const next = (await addProduct()) + 1
    assert.equal((await here.get(`/products/${next}`)).status, 404)
    assert.equal(await addProduct(), next)
    assert.equal((await here.get(`/products/${next}`)).status, 200)
  })

  it('a change that is rolled back forgets nothing', async () => {
    const id = await added()
    const before = (await here.get(`/products/${id}`)).body
    const page = (await here.get(list())).body
    const { cache, database } = here.platform
    const { product, 'product-list': pages } = cache.stats().namespaces
    const changes = createShopChanges(cache)
    const failed = database.transaction(async (tx) => {
      await tx.query(`UPDATE ${shops.schema}.products SET price = 99 WHERE id = $1`, [id])
      await changes.product(tx, id)
      throw new Error('no')
    })
    await assert.rejects(failed, /no/)
    assert.deepEqual((await here.get(`/products/${id}`)).body, before)
    assert.deepEqual((await here.get(list())).body, page)
    const now = cache.stats().namespaces
    assert.equal(now['product']!.loads, product!.loads)
    assert.equal(now['product-list']!.loads, pages!.loads)
  })

  it('an order that is refused forgets nothing', async () => {
    const id = await added({ onHand: 1 })
    await here.get(`/products/${id}`)
    const { loads } = here.platform.cache.stats().namespaces['product']!
    assert.equal((await checkOut(id, 2)).status, 409)
    assert.equal((await here.get(`/products/${id}`)).body.available, 1)
    assert.equal(here.platform.cache.stats().namespaces['product']!.loads, loads)
  })

  it('figures and the tree of categories follow what changes them', async () => {
    const { token } = await administrator()
    const id = await added()
    const orders = async () => (await here.get(`/analytics/summary?merchant=${merchant}`, token)).body.orders
    const best = async () => (await here.get('/analytics/customers', token)).body.data[0]
    const before = await orders()
    await checkOut(id, 1)
    assert.equal(await orders(), before + 1)
    assert.equal((await best()).name, 'Ada')
    await here.send('PATCH', `/customers/${customer}`, { name: 'Ada Lovelace' })
    assert.equal((await best()).name, 'Ada Lovelace')
    const sold = async () => (await here.get('/analytics/top-products?limit=100', token)).body.data
    assert.ok(shownIn({ data: await sold() }, id))
    await here.send('PATCH', `/products/${id}`, { sku: 'renamed' })
    assert.equal((shownIn({ data: await sold() }, id) as { sku?: string }).sku, 'renamed')
    const tree = async () => (await here.get('/categories')).body.data.map(({ slug }: { slug: string }) => slug)
    assert.ok(!(await tree()).includes('vases'))
    await here.send('POST', '/categories', { slug: 'vases', name: 'Vases' })
    assert.ok((await tree()).includes('vases'))
  })

  async function administrator() {
    const { accounts } = here.platform
    const user = await accounts.verifyPassword('admin@example.com', 'a long sentence is a good password')
    return accounts.issueToken(user!)
  }
})
