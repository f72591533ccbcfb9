import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { csvLine } from '../../src/reports/csv.ts'
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

it('a line of CSV quotes what must be quoted, and runs nothing in a spreadsheet', () => {
  assert.equal(csvLine(['a', 'b, "c"', 'two\nlines', -1.5]), 'a,"b, ""c""","two\nlines",-1.5\r\n')
  assert.equal(csvLine(['=HYPERLINK("x")', '+1', '@x', '-2+3']), `"'=HYPERLINK(""x"")",'+1,'@x,'-2+3\r\n`)
})

describe('the report of a day', () => {
  let app: MerchantApp
  let merchant: TestMerchant
  let day: string

  before(async () => {
    app = await startMerchantApp()
    merchant = await addMerchant(app, 'northern')
    const categoryId = await addCategory(app, 'candles')
    const customerId = await addCustomer(app, merchant.id, 'ada@example.com')
    const product = (sku: string, title: string, price: number) =>
      addProduct(app, { merchantId: merchant.id, categoryId, sku, title, price })
    const [heart, lamp] = [await product('HEART', 'Heart, white', 2.5), await product('LAMP', '=Lamp', 20)]
    const order = (productId: number, quantity: number) =>
      app.ask('POST', '/api/orders', {
        token: merchant.token,
        headers: { 'idempotency-key': randomUUID() },
        body: { customerId, lines: [{ productId, quantity }], payment: { token: 'tok_visa' } },
      })
    await order(heart, 2)
    await order(heart, 1)
    await order(lamp, 1)
    const cancelled = await order(lamp, 5)
    await app.ask('POST', `/api/orders/${cancelled.body.id}/cancel`, { token: merchant.token })
    const [row] = await app.rows<{ day: string }>(`SELECT (now() AT TIME ZONE 'Europe/London')::date::text AS day`)
    day = row!.day
    await app.jobs.start()
  })
  after(() => app.close())

  const fetchReport = (token: string) =>
    app.app.inject({ method: 'GET', url: `/api/reports/sales/${day}`, headers: { authorization: `Bearer ${token}` } })

  it('is a file of what was sold, product by product, that its merchant is told of and fetches', async () => {
    assert.equal((await fetchReport(merchant.token)).statusCode, 404)
    const { id } = await app.jobs.enqueue({ kind: 'sales-report', payload: { merchantId: merchant.id, day } })
    const { result } = await endedJob(app.jobs, id)
    assert.equal((result as { products: number }).products, 2)
    const report = await fetchReport(merchant.token)
    assert.equal(report.headers['content-type'], 'text/csv; charset=utf-8')
    assert.deepEqual(report.body.split('\r\n'), [
      'sku,title,units,orders,amount,currency',
      "LAMP,'=Lamp,1,1,20,GBP",
      'HEART,"Heart, white",3,2,7.5,GBP',
      '',
    ])
    await endedJobs(app.jobs, 'notify')
    const { body } = await app.ask('GET', '/api/notifications?topic=report-ready', { token: merchant.token })
    assert.equal(body.data[0].link, `/reports/sales/${day}`)
    const other = await addMerchant(app, 'southern')
    assert.equal((await fetchReport(other.token)).statusCode, 404)
  })

  it('is asked for each morning, for every merchant, of the day that has ended there', async () => {
    const { id } = await app.jobs.enqueue({ kind: 'daily-reports', payload: null })
    const { result } = await endedJob(app.jobs, id)
    const { count } = (await app.rows<{ count: number }>('SELECT count(*)::int AS count FROM $schema.merchants'))[0]!
    assert.deepEqual(result, { reports: count })
    const reports = await endedJobs(app.jobs, 'sales-report', count + 1)
    assert.ok(reports.every(({ state }) => state === 'completed'))
  })
})
