import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  ADMIN_TOKEN,
  addMerchant,
  type MerchantApp,
  startSmallShop,
  type TestMerchant,
} from '../testing/merchant_app.ts'

describe('a product', () => {
  let app: MerchantApp
  let merchant: TestMerchant
  let categoryId: number
  let customerId: number

  before(async () => {
    ;({ app, merchant, categoryId, customerId } = await startSmallShop())
  })
  after(() => app.close())

  const create = async (more: object = {}) =>
    app.ask('POST', '/api/products', {
      token: merchant.token,
      body: { sku: randomUUID(), title: 'A lamp', price: 12.345, categoryId, onHand: 5, ...more },
    })
  const change = (id: number, body: object, headers: Record<string, string> = {}) =>
    app.ask('PATCH', `/api/products/${id}`, { token: merchant.token, body, headers })
  const show = (id: number) => app.ask('GET', `/api/products/${id}`)
  const order = async (productId: number, quantity = 1) => {
    return app.ask('POST', '/api/orders', {
      token: merchant.token,
      headers: { 'idempotency-key': randomUUID() },
      body: { customerId, lines: [{ productId, quantity }], payment: { token: 'tok_visa' } },
    })
  }

  it('is created with stock and images, and found where the reply says', async () => {
    const images = [{ url: '/images/a.webp', alt: 'From the side' }, { url: 'https://example.com/b.webp' }]
    const made = await create({ images, description: 'Bright.' })
    assert.equal(made.status, 201, JSON.stringify(made.body))
    assert.equal(made.body.price, 12.345)
    assert.equal(made.body.available, 5)
    assert.equal(made.body.image, '/images/a.webp')
    assert.deepEqual(made.body.images, [
      { position: 0, url: '/images/a.webp', alt: 'From the side' },
      { position: 1, url: 'https://example.com/b.webp', alt: '' },
    ])
    const found = await app.ask('GET', String(made.headers['location']))
    assert.deepEqual(found.body, made.body)
    assert.equal(found.headers['etag'], '"v1-5"')
  })

  it('has a number and a title that are not blank', async () => {
    const { status, body } = await create({ sku: '\u00a0', title: ' \t' })
    const told = (field: string) => ({ path: `/body/${field}`, message: 'must not be blank', code: 'blank' })
    assert.equal(status, 400)
    assert.deepEqual(body.errors, [told('sku'), told('title')])
  })

  it('is replaced whole by PUT: what is not given gets its default', async () => {
    const { body } = await create({ description: 'Bright.', images: [{ url: '/a' }], status: 'draft' })
    const replaced = await app.ask('PUT', `/api/products/${body.id}`, {
      token: merchant.token,
      body: { sku: body.sku, title: 'A bulb', price: 1, categoryId },
    })
    const { title, description, images, status, available, version } = replaced.body
    assert.deepEqual(
      { title, description, images, status, available, version },
      { title: 'A bulb', description: '', images: [], status: 'active', available: 5, version: 2 },
    )
  })

  it('is shown as it is right after a change, an order or a cancellation, though it is cached', async () => {
    const { body } = await create()
    assert.equal((await show(body.id)).body.price, 12.345)
    await change(body.id, { price: 2 })
    assert.equal((await show(body.id)).body.price, 2)
    const placed = await order(body.id, 3)
    assert.equal((await show(body.id)).body.available, 2)
    await app.ask('POST', `/api/orders/${placed.body.id}/cancel`, { token: merchant.token })
    assert.equal((await show(body.id)).body.available, 5)
  })

  it('is changed only from the version that the client saw', async () => {
    const { body, headers } = await create()
    const seen = { 'if-match': String(headers['etag']) }
    await order(body.id)
    const changed = await change(body.id, { price: 3 }, seen)
    assert.equal(changed.status, 200, 'an order in between is no change of the product')
    const late = await change(body.id, { price: 4 }, seen)
    assert.equal(late.status, 412)
    assert.equal(late.body.code, 'E_PRECONDITION_FAILED')
    assert.equal((await change(body.id, { price: 4 }, { 'if-match': '*' })).status, 200)
    assert.equal((await change(body.id, { price: 4 }, { 'if-match': '"sometime"' })).status, 412)
    assert.equal((await show(body.id)).body.version, 3)
  })

  it('is changed by one of two who saw the same version at once', async () => {
    const { body, headers } = await create()
    const seen = { 'if-match': String(headers['etag']) }
    const answers = await Promise.all([1, 2, 3, 4].map((price) => change(body.id, { price }, seen)))
    assert.deepEqual(answers.map((answer) => answer.status).sort(), [200, 412, 412, 412])
  })

  it('is deleted when nobody ordered it, archived when somebody did', async () => {
    const [unsold, sold] = [await create(), await create()]
    await order(sold.body.id)
    const remove = (id: number) => app.ask('DELETE', `/api/products/${id}`, { token: merchant.token })
    assert.equal((await remove(unsold.body.id)).status, 204)
    assert.equal((await show(unsold.body.id)).status, 404)
    assert.equal((await remove(sold.body.id)).status, 204)
    assert.equal((await show(sold.body.id)).body.status, 'archived')
    assert.equal((await order(sold.body.id)).status, 422)
  })

  it('keeps its sku to itself, within its merchant', async () => {
    const { body } = await create()
    const taken = await create({ sku: body.sku })
    assert.equal(taken.status, 409)
    assert.equal(taken.body.code, 'E_SKU_TAKEN')
    const other = await addMerchant(app, 'southern')
    const same = await app.ask('POST', `/api/products?merchant=${other.id}`, {
      token: ADMIN_TOKEN,
      body: { sku: body.sku, title: 'Another', price: 1, categoryId },
    })
    assert.equal(same.status, 201)
  })

  it('never has fewer pieces in the house than are reserved', async () => {
    const { body } = await create()
    await order(body.id, 4)
    const refused = await change(body.id, { onHand: 3 })
    assert.equal(refused.body.code, 'E_STOCK_RESERVED')
    assert.equal((await change(body.id, { onHand: 4 })).body.available, 0)
  })

  it('needs a category that exists', async () => {
    const refused = await create({ categoryId: 999_999 })
    assert.equal(refused.status, 422)
    assert.equal(refused.body.errors[0].path, '/body/categoryId')
  })

  it('holds any script, and refuses what is too long, out of range or unstorable', async () => {
    const title = 'ランプ 💡 مصباح Ω̃'
    assert.equal((await create({ title })).body.title, title)
    const wrong: [object, string][] = [
      [{ title: 'x'.repeat(201) }, '/body/title'],
      [{ title: 'nul\u0000' }, '/body/title'],
      [{ price: -1 }, '/body/price'],
      [{ price: 1e15 }, '/body/price'],
      [{ onHand: 3_000_000_000 }, '/body/onHand'],
      [{ categoryId: 2 ** 60 }, '/body/categoryId'],
      [{ images: [{ url: 'javascript:alert(1)' }] }, '/body/images/0/url'],
      [{ merchantId: 7 }, '/body/merchantId'],
    ]
    for (const [more, path] of wrong) {
      const refused = await create(more)
      assert.equal(refused.status, 400, path)
      assert.equal(refused.body.errors[0].path, path)
    }
  })
})
