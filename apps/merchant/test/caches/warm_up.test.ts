import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { quoteSchema } from '@tailwater/postgres'
import { warmStatements } from '../../src/caches/warm_statements.ts'
import { createWarmUp, type WarmingProgress, warmUp } from '../../src/caches/warm_up.ts'
import {
  addCategory,
  addCustomer,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
} from '../testing/merchant_app.ts'

describe('warming the caches', () => {
  let app: MerchantApp
  let sold: number[]

  before(async () => {
    app = await startMerchantApp()
    const merchant = await addMerchant(app, 'gifts')
    const category = await addCategory(app, 'things')
    const customer = await addCustomer(app, merchant.id, 'ada@example.com')
    sold = []
    for (const sku of ['often', 'once', 'never'])
      sold.push(await addProduct(app, { merchantId: merchant.id, categoryId: category, sku }))
    for (const [at, productId] of [sold[0]!, sold[0]!, sold[1]!].entries()) {
      const answer = await app.ask('POST', '/api/orders', {
        token: merchant.token,
        body: { customerId: customer, lines: [{ productId, quantity: 1 }], payment: { token: 'tok_visa' } },
        headers: { 'idempotency-key': `warm-${at}` },
      })
      assert.equal(answer.status, 201)
    }
  })
  after(() => app.close())

  const partsOf = (warm: (ids: readonly number[], signal: AbortSignal) => Promise<unknown>) => ({
    database: app.database,
    statements: warmStatements(quoteSchema(app.schema)),
    hotProducts: 2,
    products: { warm, get: async () => undefined },
    pages: async () => ({ status: 200, headers: {}, body: '' }),
  })

  it('brings in what sold best, within its bound, and tells how far it has come', async () => {
    const brought: number[] = []
    const told: WarmingProgress[] = []
    const parts = partsOf(async (ids) => void brought.push(...ids))
    await warmUp({ ...parts, onProgress: (progress) => told.push(progress) }, new AbortController().signal)
    assert.deepEqual(brought, [sold[0], sold[1]])
    assert.deepEqual(told, [
      { what: 'products', done: 2, of: 2 },
      { what: 'pages', done: 1, of: 2 },
      { what: 'pages', done: 2, of: 2 },
    ])
  })

  it('keeps no start waiting, and ends with a stop', async () => {
    const begun = Promise.withResolvers<void>()
    const never = (signal: AbortSignal) =>
      new Promise<void>((_, reject) => {
        begun.resolve()
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    const service = createWarmUp(partsOf((_ids, signal) => never(signal)))
    await service.start()
    await begun.promise
    await service.stop()
  })
})
