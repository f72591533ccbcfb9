import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { createIndexes } from '../../src/database/index_builder.ts'
import { endedJob, endedJobs } from '../testing/ended_job.ts'
import {
  addCategory,
  addCustomer,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

describe('jobs that keep things right and quick', () => {
  let app: MerchantApp
  let merchant: TestMerchant
  let customerId: number
  let productIds: number[]

  before(async () => {
    app = await startMerchantApp()
    merchant = await addMerchant(app, 'northern')
    customerId = await addCustomer(app, merchant.id, 'ada@example.com')
    const categoryId = await addCategory(app, 'candles')
    productIds = []
    for (const sku of ['A', 'B', 'C'])
      productIds.push(await addProduct(app, { merchantId: merchant.id, categoryId, sku, title: `Lamp ${sku}` }))
    await app.jobs.start()
  })
  after(() => app.close())

  const placeOrder = () =>
    app.ask('POST', '/api/orders', {
      token: merchant.token,
      headers: { 'idempotency-key': randomUUID() },
      body: { customerId, lines: [{ productId: productIds[0], quantity: 1 }], payment: { token: 'tok_visa' } },
    })
  const run = async (kind: string, payload: unknown = null) => {
    const { id } = await app.jobs.enqueue({ kind, payload })
    return endedJob(app.jobs, id)
  }
  const sums = async () =>
    (await app.rows('SELECT sum(orders)::int AS orders, sum(gross)::float8 AS gross FROM $schema.sales_days'))[0]

  it('recalculation makes sums right that went wrong, and loses no order that is placed meanwhile', async () => {
    await placeOrder()
    await app.rows('UPDATE $schema.sales_days SET gross = gross + 1000')
    const [, placed] = await Promise.all([run('sales-recalculations'), placeOrder()])
    assert.equal(placed.status, 201)
    await endedJobs(app.jobs, 'sales-recalculation')
    assert.deepEqual(await sums(), { orders: 2, gross: 20 })
  })

  it('reindexing writes the words of products anew where they are not those of the text, and no others', async () => {
    await createIndexes({ database: app.database, schema: app.schema, clock: systemClock })
    // As after a restore into a server with another dictionary: words that the text does not give.
    await app.rows(`ALTER TABLE $schema.products ALTER COLUMN search DROP EXPRESSION`)
    await app.rows(`UPDATE $schema.products SET search = 'nonsense'::tsvector WHERE sku = 'B'`)
    const job = await run('search-reindexing')
    // Without its expression nothing makes the words: what is seen is that one was found.
    assert.deepEqual(job.result, { seen: 3, refreshed: 1 })
    assert.equal(job.progress, 100)
  })

  it('inboxes and the audit are forgotten when they are old, the oldest first, and nothing else is', async () => {
    await app.rows(`INSERT INTO $schema.notifications (merchant_id, key, topic, title, text, created_at)
      SELECT ${merchant.id}, 'old-' || day, 'orders', 't', 't', now() - day * interval '1 day' FROM generate_series(200, 175, -5) AS day`)
    await app.rows(`INSERT INTO $schema.audit_entries (merchant_id, actor, action, happened_at, job_id)
      SELECT ${merchant.id}, 'test', 'aged', now() - year * interval '1 year', gen_random_uuid() FROM generate_series(3, 1, -1) AS year`)
    const job = await run('forgetting')
    assert.equal(job.state, 'completed')
    const kept = await app.rows(`SELECT key FROM $schema.notifications WHERE key LIKE 'old-%' ORDER BY key`)
    assert.deepEqual(kept, [{ key: 'old-175' }])
    assert.equal((await app.rows(`SELECT 1 FROM $schema.audit_entries WHERE action = 'aged'`)).length, 1)
  })

  it('warming brings in what sells best first, then pages', async () => {
    await run('warm-up')
    const pages = await endedJobs(app.jobs, 'warm-pages')
    const products = await endedJobs(app.jobs, 'warm-products')
    assert.deepEqual(
      [...products, ...pages].map(({ state }) => state),
      ['completed', 'completed'],
    )
    assert.ok(products[0]!.priority < pages[0]!.priority)
    assert.ok(products[0]!.startedAt! <= pages[0]!.startedAt!)
  })

  it('the timetable is said at the start, and each of its moments is known', async () => {
    const timetable = app.merchant.services.find(({ name }) => name === 'timetable')!
    await timetable.start()
    const schedules = await app.jobs.schedules.list()
    assert.deepEqual(schedules.map(({ name }) => name).sort(), [
      'daily-reports',
      'hourly-warm-up',
      'nightly-forgetting',
      'weekly-event-trimming',
      'weekly-recalculation',
      'weekly-reindexing',
    ])
    const [first] = await app.jobs.schedules.preview('daily-reports', 1)
    assert.equal(new Date(first!).getUTCHours(), 11)
    await timetable.stop()
  })
})
