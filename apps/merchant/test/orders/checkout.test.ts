import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import {
  addCategory,
  addCustomer,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

describe('checkout', () => {
  let app: MerchantApp
  let merchant: TestMerchant
  let categoryId: number
  let customerId: number

  before(async () => {
    app = await startMerchantApp()
    merchant = await addMerchant(app, 'northern')
    categoryId = await addCategory(app, 'candles')
    customerId = await addCustomer(app, merchant.id, 'ada@example.com')
  })

  after(() => app.close())

  const product = (onHand: number, price = 2.55) =>
    addProduct(app, { merchantId: merchant.id, categoryId, sku: randomUUID(), price, onHand })
  const checkOut = (
    lines: { productId: number; quantity: number }[],
    { key = randomUUID() as string, token = 'tok_visa' } = {},
  ) =>
    app.ask('POST', '/api/orders', {
      token: merchant.token,
      headers: { 'idempotency-key': key },
      body: { customerId, lines, payment: { token } },
    })
  const stockOf = async (id: number) =>
    (await app.rows(`SELECT on_hand AS "onHand", reserved FROM $schema.stock WHERE product_id = $1`, [id]))[0]

  it('writes the order with its lines, payment, reservation and job, and answers with what a read gives', async () => {
    const [one, two] = [await product(10), await product(5, 0.335)]
    const placed = await checkOut([
      { productId: one, quantity: 3 },
      { productId: two, quantity: 2 },
    ])
    assert.equal(placed.status, 201, JSON.stringify(placed.body))
    assert.equal(placed.body.total, 8.32)
    assert.deepEqual(
      placed.body.lines.map((line: { amount: number }) => line.amount),
      [7.65, 0.67],
    )
    const read = await app.ask('GET', `/api/orders/${placed.body.id}`, { token: merchant.token })
    assert.deepEqual(read.body, placed.body)
    assert.deepEqual(await stockOf(one), { onHand: 10, reserved: 3 })
    const jobs = await app.rows(`SELECT payload FROM $schema.jobs WHERE kind = 'order-confirmation'`)
    assert.deepEqual(jobs, [{ payload: { orderId: placed.body.id } }])
  })
})
