import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import { FakeClock } from '@tailwater/core/testing'
import { createLedgerProvider } from '../testing/ledger_provider.ts'
import {
  type Answer,
  addProduct,
  type MerchantApp,
  startSmallShop,
  type TestMerchant,
} from '../testing/merchant_app.ts'

describe('a checkout under an idempotency key', () => {
  const ledger = createLedgerProvider()
  const clock = new FakeClock()
  let app: MerchantApp
  let merchant: TestMerchant
  let categoryId: number
  let customerId: number
  let productId: number
  let key: string

  before(async () => {
    ;({ app, merchant, categoryId, customerId } = await startSmallShop({ payments: ledger, clock }))
    await app.jobs.start()
  })
  after(() => app.close())
  beforeEach(async () => {
    ledger.entries.clear()
    ledger.onAuthorised = () => {}
    key = randomUUID()
    productId = await addProduct(app, { merchantId: merchant.id, categoryId, sku: key, onHand: 5, price: 3 })
  })

  const checkOut = (quantity = 1, token = 'tok_visa') =>
    app.ask('POST', '/api/orders', {
      token: merchant.token,
      headers: { 'idempotency-key': key },
      body: { customerId, lines: [{ productId, quantity }], payment: { token } },
    })
  const orders = async () => {
    const [row] = await app.rows<{ count: number }>(
      'SELECT count(*)::int AS count FROM $schema.order_lines WHERE product_id = $1',
      [productId],
    )
    return row!.count
  }
  const answerOf = ({ status, body }: Answer) => ({ status, body: { ...body, requestId: undefined } })
  const states = () => [...ledger.entries.values()].map((entry) => entry.state)
  /** Lets the minute pass after which the sweeper looks, and waits until it has. */
  const sweep = async () => {
    const [sweeper] = app.merchant.services
    await sweeper!.start()
    await clock.advance(60_000)
    await sweeper!.stop()
  }
  const age = () =>
    app.rows(`UPDATE $schema.idempotency_keys SET created_at = now() - interval '16 minutes' WHERE key = $1`, [key])

  it('gives the same answer again, to the letter, and places one order', async () => {
    const first = await checkOut()
    assert.equal(first.status, 201)
    assert.deepEqual(answerOf(await checkOut()), answerOf(first))
    assert.equal(await orders(), 1)
    assert.equal(ledger.entries.size, 1)
  })

  it('gives all who ask at once the same answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => checkOut()))
    assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1)
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [201])
    assert.equal(await orders(), 1)
    assert.deepEqual(states(), ['authorised'])
  })

  it('refuses another request under the same key, also while the first is under way', async () => {
    const answers = await Promise.all([checkOut(1), checkOut(2), checkOut(1), checkOut(2)])
    const codes = new Set(answers.map((answer) => answer.body.code ?? answer.status))
    assert.deepEqual(codes, new Set([201, 'E_IDEMPOTENCY_KEY_REUSED']))
    assert.equal(await orders(), 1)
  })

  it('goes on where a lost answer of the provider left it', async () => {
    ledger.onAuthorised = () => {
      throw new Error('connection lost')
    }
    const failed = await checkOut()
    assert.equal(failed.status, 503)
    assert.equal(failed.body.code, 'E_PAYMENT_UNAVAILABLE')
    assert.equal(await orders(), 0)
    ledger.onAuthorised = () => {}
    assert.equal((await checkOut()).status, 201)
    assert.deepEqual(states(), ['authorised'])
  })

  it('is refused when a price changed before it was repeated, and lets the money go', async () => {
    ledger.onAuthorised = () => {
      throw new Error('connection lost')
    }
    await checkOut()
    ledger.onAuthorised = () => {}
    await app.rows('UPDATE $schema.products SET price = 4 WHERE id = $1', [productId])
    assert.equal((await checkOut()).body.code, 'E_PRICE_CHANGED')
    assert.equal(await orders(), 0)
    await ledger.until((entries) => [...entries.values()].every((entry) => entry.state === 'released'))
  })

  it('lets the money go when the stock has run out meanwhile', async () => {
    ledger.onAuthorised = async () => {
      await app.rows('UPDATE $schema.stock SET on_hand = 0 WHERE product_id = $1', [productId])
    }
    const refused = await checkOut()
    assert.equal(refused.body.code, 'E_OUT_OF_STOCK')
    await ledger.until((entries) => [...entries.values()].every((entry) => entry.state === 'released'))
    assert.deepEqual(answerOf(await checkOut()), answerOf(refused))
  })

  it('is settled, and its money let go, when nobody repeats it after a crash', async () => {
    ledger.onAuthorised = () => {
      throw new Error('as if the process had been killed here')
    }
    await checkOut()
    await sweep()
    assert.deepEqual(states(), ['authorised'])
    await age()
    await sweep()
    await ledger.until((entries) => [...entries.values()].every((entry) => entry.state === 'released'))
    const late = await checkOut()
    assert.equal(late.status, 409)
    assert.equal(late.body.code, 'E_IDEMPOTENCY_KEY_EXPIRED')
    assert.equal(await orders(), 0)
  })

  it('is not confirmed once it was settled as abandoned, however late it comes', async () => {
    ledger.onAuthorised = async () => {
      await age()
      await sweep()
    }
    assert.equal((await checkOut()).body.code, 'E_IDEMPOTENCY_KEY_EXPIRED')
    assert.equal(await orders(), 0)
    await ledger.until((entries) => [...entries.values()].every((entry) => entry.state === 'released'))
  })

  it('forgets its answer after thirty days', async () => {
    await checkOut()
    await app.rows(`UPDATE $schema.idempotency_keys SET created_at = now() - interval '31 days' WHERE key = $1`, [key])
    await sweep()
    assert.deepEqual(await app.rows('SELECT key FROM $schema.idempotency_keys WHERE key = $1', [key]), [])
  })
})
