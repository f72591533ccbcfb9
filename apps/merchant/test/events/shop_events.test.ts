import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { messageHandled } from '@tailwater/core'
import { defineShopEvents } from '../../src/events/shop_events.ts'
import { addProduct, type SmallShop, startSmallShop } from '../testing/merchant_app.ts'
import { nextOf } from '../testing/next_of.ts'

describe('what happens in the shop', () => {
  let shop: SmallShop
  const heard: { topic: string; body: unknown }[] = []

  before(async () => {
    shop = await startSmallShop()
    const { exchange } = defineShopEvents(shop.app.messaging)
    exchange.subscribe('test', '#', ({ topic, body }) => void heard.push({ topic, body }))
    await shop.app.messaging.start()
  })
  after(() => shop.app.close())

  /** Everything heard of a topic, once there are so many. */
  async function told(topic: string, fits: (body: Record<string, unknown>) => boolean): Promise<unknown> {
    for (;;) {
      const next = nextOf(messageHandled)
      const found = heard.find((one) => one.topic === topic && fits(one.body as Record<string, unknown>))
      if (found) return found.body
      await next
    }
  }

  const ask = (method: 'POST' | 'PATCH' | 'PUT' | 'DELETE', path: string, body?: unknown) =>
    shop.app.ask(method, `/api${path}`, {
      token: shop.merchant.token,
      headers: { 'idempotency-key': randomUUID() },
      ...(body !== undefined && { body }),
    })
  const product = (onHand = 10) =>
    addProduct(shop.app, { merchantId: shop.merchant.id, categoryId: shop.categoryId, sku: randomUUID(), onHand })
  const checkOut = (productId: number, quantity: number) =>
    ask('POST', '/orders', {
      customerId: shop.customerId,
      lines: [{ productId, quantity }],
      payment: { token: 'tok_visa' },
    })

  it('is told of an order: placed, paid, returned, cancelled, and what became of the stock', async () => {
    const merchantId = shop.merchant.id
    const productId = await product()
    const { body: one } = await checkOut(productId, 3)
    const ofOne = ({ orderId }: Record<string, unknown>) => orderId === one.id
    assert.deepEqual(await told('order.placed', ofOne), {
      orderId: one.id,
      merchantId,
      marketplaceId: null,
      total: 30,
      currency: 'GBP',
    })
    assert.deepEqual(await told('order.paid', ofOne), { orderId: one.id, merchantId })
    const { body: back } = await ask('POST', `/orders/${one.id}/return`)
    assert.deepEqual(await told('order.returned', ofOne), { orderId: one.id, merchantId, returnId: back.id })
    const { body: other } = await checkOut(productId, 1)
    await ask('POST', `/orders/${other.id}/cancel`)
    const cancelled = await told('order.cancelled', ({ orderId }) => orderId === other.id)
    assert.deepEqual(cancelled, { orderId: other.id, merchantId })
    const changes = heard.filter(
      ({ topic, body }) => topic === 'stock.changed' && (body as { productIds: number[] }).productIds[0] === productId,
    )
    assert.equal(changes.length, 4)
  })

  it('is told of products and customers', async () => {
    const merchantId = shop.merchant.id
    const { body: made } = await ask('POST', '/products', {
      sku: randomUUID(),
      title: 'Mug',
      price: 1,
      categoryId: shop.categoryId,
    })
    assert.deepEqual(await told('product.updated', ({ productId }) => productId === made.id), {
      productId: made.id,
      merchantId,
    })
    await ask('PATCH', `/products/${made.id}`, { onHand: 5 })
    await told('stock.changed', ({ productIds }) => (productIds as number[]).includes(made.id))
    const { body: customer } = await ask('POST', '/customers', { name: 'Grace', country: 'Malta' })
    assert.deepEqual(await told('customer.created', ({ customerId }) => customerId === customer.id), {
      customerId: customer.id,
      merchantId,
    })
  })

  it('is not told of what was rolled back', async () => {
    const productId = await product(1)
    const refused = await checkOut(productId, 2)
    assert.equal(refused.status, 409)
    const events = defineShopEvents(shop.app.messaging)
    const customerId = 987_654
    const failed = shop.app.database.transaction(async (tx) => {
      await events.publish(tx, [{ topic: 'customer.created', body: { customerId, merchantId: shop.merchant.id } }])
      throw new Error('no')
    })
    await assert.rejects(failed, /no/)
    // Events come in the order of their commits: what was published before this one has come.
    const { body: placed } = await checkOut(productId, 1)
    await told('order.placed', ({ orderId }) => orderId === placed.id)
    assert.equal(heard.filter(({ body }) => (body as { customerId?: number }).customerId === customerId).length, 0)
    const orders = heard.filter(
      ({ topic, body }) => topic === 'order.placed' && (body as { total: number }).total === 20,
    )
    assert.equal(orders.length, 0)
  })

  it('is told though nobody listened when it happened', async () => {
    await shop.app.messaging.stop()
    const { body: placed } = await checkOut(await product(), 1)
    assert.equal(
      heard.some(({ topic, body }) => topic === 'order.placed' && (body as { orderId: number }).orderId === placed.id),
      false,
    )
    await shop.app.messaging.start()
    await told('order.placed', ({ orderId }) => orderId === placed.id)
  })

  it('is refused where it is not as it was agreed', async () => {
    const { exchange } = defineShopEvents(shop.app.messaging)
    await assert.rejects(exchange.publish('order.paid', { orderId: 'seven', merchantId: 1 } as never), {
      code: 'E_MESSAGE_BODY',
    })
  })

  it('an order that is cancelled before its payment is taken has its money let go', async () => {
    await shop.app.messaging.stop()
    const { body: placed } = await checkOut(await product(), 1)
    await ask('POST', `/orders/${placed.id}/cancel`)
    await shop.app.messaging.start()
    await told('order.cancelled', ({ orderId }) => orderId === placed.id)
    const { body } = await shop.app.ask('GET', `/api/orders/${placed.id}`, { token: shop.merchant.token })
    assert.deepEqual([body.status, body.payment.status], ['cancelled', 'voided'])
  })
})
