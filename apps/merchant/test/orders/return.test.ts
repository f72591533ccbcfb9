import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { createLedgerProvider } from '../testing/ledger_provider.ts'
import {
  addCategory,
  addProduct,
  type MerchantApp,
  startSmallShop,
  type TestMerchant,
} from '../testing/merchant_app.ts'

describe('an order', () => {
  const ledger = createLedgerProvider()
  let app: MerchantApp
  let merchant: TestMerchant
  let customerId: number
  let candle: number
  let lamp: number
  // biome-ignore lint/suspicious/noExplicitAny: the body of an order
  let order: any

  before(async () => {
    ;({ app, merchant, customerId } = await startSmallShop({ payments: ledger }))
    await app.jobs.start()
  })
  after(() => app.close())
  beforeEach(async () => {
    const categoryId = await addCategory(app, `category-${randomUUID()}`)
    const add = (price: number) =>
      addProduct(app, { merchantId: merchant.id, categoryId, sku: randomUUID(), onHand: 10, price })
    candle = await add(0.335)
    lamp = await add(12.5)
    const placed = await app.ask('POST', '/api/orders', {
      token: merchant.token,
      headers: { 'idempotency-key': randomUUID() },
      body: {
        customerId,
        lines: [
          { productId: candle, quantity: 6 },
          { productId: lamp, quantity: 2 },
        ],
        payment: { token: 'tok_visa' },
      },
    })
    order = placed.body
  })

  const post = (action: string, body?: object, headers?: Record<string, string>) =>
    app.ask('POST', `/api/orders/${order.id}/${action}`, {
      token: merchant.token,
      ...(body && { body }),
      ...(headers && { headers }),
    })
  const stockOf = async (id: number) => {
    const [row] = await app.rows('SELECT on_hand AS "onHand", reserved FROM $schema.stock WHERE product_id = $1', [id])
    return row
  }
  const show = async (id = order.id) => (await app.ask('GET', `/api/orders/${id}`, { token: merchant.token })).body
  const booked = () => ledger.entries.get(order.payment.reference)!
  const setStatus = (status: string) =>
    app.rows('UPDATE $schema.orders SET status = $2 WHERE id = $1', [order.id, status])

  it('is cancelled whole: stock free, payment let go; and twice is the same as once', async () => {
    const cancelled = await post('cancel')
    assert.equal(cancelled.status, 200)
    assert.equal(cancelled.body.status, 'cancelled')
    assert.equal(cancelled.body.payment.status, 'voided')
    assert.deepEqual(await stockOf(candle), { onHand: 10, reserved: 0 })
    await ledger.until(() => booked().state === 'released')
    assert.deepEqual((await post('cancel')).body, cancelled.body)
    assert.deepEqual(await stockOf(candle), { onHand: 10, reserved: 0 })
    assert.equal((await post('return')).body.code, 'E_ORDER_NOT_RETURNABLE')
  })

  it('is not cancelled once it has left or a part came back', async () => {
    await post('return', { lines: [{ ordinal: 1, quantity: 1 }] })
    assert.equal((await post('cancel')).body.code, 'E_ORDER_NOT_CANCELLABLE')
    await setStatus('completed')
    assert.equal((await post('cancel')).status, 409)
  })

  it('is returned whole as negative lines, with its stock and its money', async () => {
    const returned = await post('return')
    assert.equal(returned.status, 201, JSON.stringify(returned.body))
    assert.equal(returned.body.kind, 'return')
    assert.equal(returned.body.returnsOrderId, order.id)
    assert.equal(returned.body.total, -order.total)
    assert.deepEqual(
      returned.body.lines.map((line: { ordinal: number; kind: string; quantity: number; amount: number }) => [
        line.ordinal,
        line.kind,
        line.quantity,
        line.amount,
      ]),
      [
        [1, 'return', -6, -2.01],
        [2, 'return', -2, -25],
      ],
    )
    const original = await show()
    assert.equal(original.status, 'returned')
    assert.equal(original.payment.status, 'refunded')
    assert.deepEqual(await stockOf(lamp), { onHand: 10, reserved: 0 })
    await ledger.until(() => booked().refunded === order.total)
  })

  it('is returned in parts, each line up to what was bought', async () => {
    const some = await post('return', { lines: [{ ordinal: 1, quantity: 4 }] })
    assert.equal(some.body.total, -1.34)
    assert.equal((await show()).status, 'placed')
    assert.deepEqual(await stockOf(candle), { onHand: 10, reserved: 2 })
    const tooMuch = await post('return', { lines: [{ ordinal: 1, quantity: 3 }] })
    assert.equal(tooMuch.body.code, 'E_RETURN_TOO_MUCH')
    assert.deepEqual(tooMuch.body.errors[0], {
      path: '/body/lines/0/quantity',
      message: 'only 2 can come back',
      code: 'maximum',
    })
    const rest = await post('return')
    assert.equal(rest.body.total, -(order.total - 1.34))
    assert.equal((await show()).status, 'returned')
    assert.equal((await post('return')).body.code, 'E_ORDER_NOT_RETURNABLE')
    await ledger.until(() => Math.abs(booked().refunded - order.total) < 0.0005)
  })

  it('gives back no piece twice to those who ask at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => post('return', { lines: [{ ordinal: 1, quantity: 1 }] })),
    )
    assert.equal(answers.filter((answer) => answer.status === 201).length, 6)
    assert.deepEqual(await stockOf(candle), { onHand: 10, reserved: 0 })
  })

  it('is returned once under one idempotency key', async () => {
    const key = { 'idempotency-key': randomUUID() }
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => post('return', { lines: [{ ordinal: 2, quantity: 1 }] }, key)),
    )
    assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1)
    assert.equal((await post('return', { lines: [{ ordinal: 2, quantity: 2 }] }, key)).status, 422)
    assert.deepEqual(await stockOf(lamp), { onHand: 10, reserved: 1 })
  })

  it('counts pieces that had left back into the house', async () => {
    await app.rows('UPDATE $schema.stock SET on_hand = on_hand - 2, reserved = 0 WHERE product_id = $1', [lamp])
    await setStatus('completed')
    await post('return', { lines: [{ ordinal: 2, quantity: 2 }] })
    assert.deepEqual(await stockOf(lamp), { onHand: 10, reserved: 0 })
  })

  it('names lines that do not exist or are given twice', async () => {
    const refused = await post('return', {
      lines: [
        { ordinal: 9, quantity: 1 },
        { ordinal: 1, quantity: 1 },
        { ordinal: 1, quantity: 1 },
      ],
    })
    assert.equal(refused.status, 422)
    assert.deepEqual(
      refused.body.errors.map((error: { path: string; code: string }) => [error.path, error.code]),
      [
        ['/body/lines/0/ordinal', 'reference'],
        ['/body/lines/2/ordinal', 'duplicate'],
      ],
    )
  })
})
