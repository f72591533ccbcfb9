import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { databaseQuery, listen } from '@tailwater/core'
import { addProduct, type MerchantApp, startSmallShop, type TestMerchant } from '../testing/merchant_app.ts'

/** SQLSTATE of a transaction that was ended because it and another waited for each other. */
const DEADLOCK = '40P01'

describe('checkout', () => {
  let app: MerchantApp
  let merchant: TestMerchant
  let categoryId: number
  let customerId: number

  before(async () => {
    ;({ app, merchant, categoryId, customerId } = await startSmallShop())
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

  const ordersOf = async (id: number) => {
    const [row] = await app.rows<{ count: number }>(
      'SELECT count(DISTINCT order_id)::int AS count FROM $schema.order_lines WHERE product_id = $1',
      [id],
    )
    return row!.count
  }

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
    const jobs = await app.enqueued('order-confirmation')
    assert.deepEqual(
      jobs.map(({ payload }) => payload),
      [{ orderId: placed.body.id }],
    )
  })

  it('declines by the card or the amount, keeps the answer, and reserves nothing', async () => {
    const id = await product(10)
    const key = randomUUID()
    const declined = await checkOut([{ productId: id, quantity: 1 }], { key, token: 'tok_declined' })
    assert.equal(declined.status, 402)
    assert.equal(declined.body.code, 'E_PAYMENT_DECLINED')
    const again = await checkOut([{ productId: id, quantity: 1 }], { key, token: 'tok_declined' })
    assert.deepEqual({ ...again.body, requestId: '' }, { ...declined.body, requestId: '' })
    const dear = await product(1000, 90_000)
    assert.equal((await checkOut([{ productId: dear, quantity: 2 }])).status, 402)
    assert.deepEqual(await stockOf(id), { onHand: 10, reserved: 0 })
    assert.equal(await ordersOf(id), 0)
  })

  it('refuses more than is left, naming the line, and reserves nothing of the others', async () => {
    const [plenty, few] = [await product(10), await product(2)]
    const refused = await checkOut([
      { productId: plenty, quantity: 1 },
      { productId: few, quantity: 2 },
      { productId: few, quantity: 1 },
    ])
    assert.equal(refused.status, 409)
    assert.deepEqual(
      refused.body.errors.map((error: { path: string; message: string }) => [error.path, error.message]),
      [
        ['/body/lines/1/quantity', 'only 2 left'],
        ['/body/lines/2/quantity', 'only 2 left'],
      ],
    )
    assert.deepEqual(await stockOf(plenty), { onHand: 10, reserved: 0 })
  })

  it('names every field that points at nothing', async () => {
    const archived = await addProduct(app, {
      merchantId: merchant.id,
      categoryId,
      sku: randomUUID(),
      status: 'archived',
    })
    const refused = await app.ask('POST', '/api/orders', {
      token: merchant.token,
      headers: { 'idempotency-key': randomUUID() },
      body: {
        customerId: 999_999,
        marketplaceId: 999_999,
        lines: [
          { productId: archived, quantity: 1 },
          { productId: 999_999, quantity: 1 },
        ],
        payment: { token: 'tok_visa' },
      },
    })
    assert.equal(refused.status, 422)
    assert.deepEqual(
      refused.body.errors.map((error: { path: string }) => error.path),
      ['/body/customerId', '/body/marketplaceId', '/body/lines/0/productId', '/body/lines/1/productId'],
    )
  })

  it('needs an idempotency key', async () => {
    const id = await product(1)
    const refused = await app.ask('POST', '/api/orders', {
      token: merchant.token,
      body: { customerId, lines: [{ productId: id, quantity: 1 }], payment: { token: 'tok_visa' } },
    })
    assert.equal(refused.status, 400)
    assert.equal(refused.body.errors[0].path, '/headers/idempotency-key')
  })

  it('sells exactly what there is to 100 who ask at once', async () => {
    const id = await product(10)
    const answers = await Promise.all(Array.from({ length: 100 }, () => checkOut([{ productId: id, quantity: 1 }])))
    const statuses = answers.map((answer) => answer.status)
    assert.equal(statuses.filter((status) => status === 201).length, 10)
    assert.equal(statuses.filter((status) => status === 409).length, 90)
    assert.deepEqual(await stockOf(id), { onHand: 10, reserved: 10 })
    assert.equal(await ordersOf(id), 10)
  })

  it('never deadlocks, whatever the order of the lines', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => product(100_000)))
    const random = createRandom(20_261_122)
    const baskets = Array.from({ length: 200 }, () =>
      shuffle(ids, random)
        .slice(0, 2 + Math.floor(random() * 6))
        .map((productId) => ({ productId, quantity: 1 + Math.floor(random() * 3) })),
    )
    const deadlocks: string[] = []
    const unlisten = listen(databaseQuery, ({ error, text }) => void (error === DEADLOCK && deadlocks.push(text)))
    const answers = await Promise.all(baskets.map((lines) => checkOut(lines)))
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [201])
    unlisten()
    assert.deepEqual(deadlocks, [])
    for (const id of ids) {
      const sold = baskets.flat().filter((line) => line.productId === id)
      assert.equal(
        (await stockOf(id))?.['reserved'],
        sold.reduce((sum, line) => sum + line.quantity, 0),
      )
    }
  })

  it('sends the confirmation once the order is written', async () => {
    const id = await product(1)
    const placed = await checkOut([{ productId: id, quantity: 1 }])
    await app.jobs.start()
    const mail = await app.mailTo((sent) => sent.messageId === `order-${placed.body.id}@merchant.tailwater`)
    await app.jobs.stop()
    assert.equal(mail.to, 'ada@example.com')
    assert.match(mail.text, /2\.55 GBP/)
  })
})

/** A small generator with a seed (mulberry32), so that a failure can be repeated. */
function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
