import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { importOnlineRetail } from '../../src/data/online_retail/import.ts'
import { type FileTotals, fileTotals, thousandths } from '../data/online_retail/invoice_file.ts'
import {
  ADMIN_TOKEN,
  addMerchant,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

const file = join(import.meta.dirname, '../data/online_retail/odd_lines.csv')

/** A JSON number as whole thousandths; fails if it has more decimals than three. */
const exact = (value: number) => thousandths(String(value))

interface Ranked {
  externalId: string
  netRevenue: number
}

describe('analytics of an imported file', () => {
  let app: MerchantApp
  let retail: TestMerchant
  let other: TestMerchant
  let expected: FileTotals

  before(async () => {
    app = await startMerchantApp()
    other = await addMerchant(app, 'other')
    retail = await addMerchant(app, 'online-retail')
    await importOnlineRetail({ database: app.database, schema: app.schema, file })
    expected = fileTotals(await readFile(file))
  })
  after(() => app.close())

  async function get(path: string, token = retail.token) {
    const { status, body } = await app.ask('GET', `/api/analytics/${path}`, { token })
    assert.equal(status, 200, JSON.stringify(body))
    return body
  }

  it('the summary adds up to what the file says, to the third decimal', async () => {
    const summary = await get('summary')
    assert.equal(summary.lines, expected.lines)
    assert.equal(summary.orders, expected.orders)
    assert.equal(summary.returns, expected.returns)
    assert.equal(summary.units, expected.units)
    assert.equal(summary.products, expected.products)
    assert.equal(exact(summary.netRevenue), expected.net)
    assert.equal(exact(summary.grossRevenue) - exact(summary.returnsValue), expected.net)
    assert.equal(summary.customers, 4, 'the customer named second on an invoice did not place it')
    assert.equal(summary.from, '2011-01-04')
    assert.equal(summary.to, '2011-10-31')
    assert.equal(summary.currency, 'GBP')
    assert.equal(summary.averageOrderValue, Math.round((summary.grossRevenue / summary.orders) * 1_000) / 1_000)
  })

  it("sales by day add up to the file's lines of that London date, also when the clocks change", async () => {
    const { data } = await get('sales')
    const net = new Map<string, bigint>(
      data.map((day: { day: string; netRevenue: number }) => [day.day, exact(day.netRevenue)]),
    )
    const lines = new Map<string, number>(data.map((day: { day: string; lines: number }) => [day.day, day.lines]))
    assert.deepEqual(net, new Map([...expected.netByDay].sort()))
    assert.deepEqual(lines, new Map([...expected.linesByDay].sort()))
  })

  it('sales by week and month are the same sums, named by their first day', async () => {
    for (const by of ['week', 'month']) {
      const { data } = await get(`sales?by=${by}`)
      const sum = data.reduce((total: bigint, row: { netRevenue: number }) => total + exact(row.netRevenue), 0n)
      assert.equal(sum, expected.net, by)
    }
    const months = (await get('sales?by=month')).data.map(({ day }: { day: string }) => day)
    assert.deepEqual(months, ['2011-01-01', '2011-03-01', '2011-10-01'])
    const weeks = (await get('sales?by=week')).data.map(({ day }: { day: string }) => day)
    assert.deepEqual(weeks, ['2011-01-03', '2011-03-21', '2011-10-24', '2011-10-31'])
  })

  it('a period has both its first and its last day, told in London', async () => {
    const summary = await get('summary?from=2011-03-27&to=2011-10-30')
    assert.equal(summary.lines, 5)
    assert.deepEqual([summary.orders, summary.returns], [4, 1])
    assert.deepEqual([summary.from, summary.to], ['2011-03-27', '2011-10-30'])
    assert.equal(summary.customers, 1)
    assert.equal(summary.products, 4)
    const night = await get('sales?from=2011-10-31&to=2011-10-31')
    assert.equal(night.data.length, 1)
    assert.equal(exact(night.data[0].netRevenue), expected.netByDay.get('2011-10-31'))
  })

  it('an empty period is all zeros', async () => {
    const summary = await get('summary?from=2010-01-01&to=2010-12-31')
    assert.deepEqual(summary, {
      orders: 0,
      returns: 0,
      lines: 0,
      units: 0,
      grossRevenue: 0,
      returnsValue: 0,
      netRevenue: 0,
      customers: 0,
      products: 0,
      averageOrderValue: null,
      currency: null,
      from: null,
      to: null,
    })
    assert.deepEqual(await get('sales?to=2010-12-31'), { data: [] })
    assert.deepEqual(await get('top-products?to=2010-12-31'), { data: [] })
    assert.deepEqual(await get('countries?to=2010-12-31'), { data: [] })
  })

  it('top products leave services out unless asked for, and are ranked by revenue or by units', async () => {
    const skus = async (query: string) =>
      (await get(`top-products?${query}`)).data.map(({ sku }: { sku: string }) => sku)
    assert.deepEqual((await skus('')).slice(0, 3), ['70007', '70001A', '70003'])
    assert.deepEqual((await skus('services=true')).slice(0, 4), ['70007', '70001A', '70003', 'POST'])
    assert.deepEqual(await skus('by=units&limit=2'), ['70003', '70001A'])
    assert.equal((await skus('limit=100&services=true')).length, expected.products)
  })

  it('the revenue of all products, services and lines without a product is the net revenue', async () => {
    const { data } = await get('top-products?limit=100&services=true')
    const sum = data.reduce((total: bigint, row: { netRevenue: number }) => total + exact(row.netRevenue), 0n)
    assert.equal(sum + exact(0.5) * 3n, expected.net, 'one line of three at 0.5 has no stock code')
  })

  it('customers are counted, told apart as new and returning, and ranked', async () => {
    const all = await get('customers')
    assert.deepEqual([all.customers, all.newCustomers, all.returningCustomers], [4, 4, 0])
    const ranked = all.data.map(({ externalId, netRevenue }: Ranked) => [externalId, netRevenue])
    assert.deepEqual(ranked, [
      ['20004', 1234.5],
      ['20001', 22.56],
      ['20002', 21.599],
      ['20003', 8.32],
    ])
    const late = await get('customers?from=2011-10-31')
    assert.deepEqual([late.customers, late.newCustomers, late.returningCustomers], [4, 1, 3])
    assert.equal((await get('customers?limit=1')).data.length, 1)
  })

  it('countries add up to everything, and their shares to one', async () => {
    const { data } = await get('countries')
    const sum = data.reduce((total: bigint, row: { netRevenue: number }) => total + exact(row.netRevenue), 0n)
    assert.equal(sum, expected.net)
    assert.ok(Math.abs(data.reduce((total: number, row: { share: number }) => total + row.share, 0) - 1) < 1e-5)
    assert.deepEqual(
      data.find(({ country }: { country: string }) => country === 'Cyprus'),
      {
        country: 'Cyprus',
        orders: 1,
        returns: 0,
        lines: 3,
        units: 6,
        grossRevenue: 6.598,
        returnsValue: 0,
        netRevenue: 6.598,
        share: data.find(({ country }: { country: string }) => country === 'Cyprus').share,
      },
    )
  })

  it('are closed to strangers; a merchant sees only its own, an administrator all or one', async () => {
    for (const path of ['summary', 'sales', 'top-products', 'customers', 'countries']) {
      assert.equal((await app.ask('GET', `/api/analytics/${path}`)).status, 401)
      const theirs = await get(`${path}?merchant=${retail.id}`, other.token)
      assert.deepEqual(theirs, await get(path, other.token), 'asking for another merchant shows nothing')
      assert.notDeepEqual(theirs, await get(path))
      assert.deepEqual(await get(path, ADMIN_TOKEN), await get(path), 'the other has sold nothing')
      assert.deepEqual(await get(`${path}?merchant=${retail.id}`, ADMIN_TOKEN), await get(path))
    }
  })

  const refused = [
    'from=2011-02-30',
    'from=yesterday',
    'from=0000-01-01',
    'to=2011-13-01',
    'from=2011-01-02&to=2011-01-01',
    'merchant=0',
    'merchant=x',
    'form=2011-01-01',
  ]
  for (const query of refused)
    it(`${query} is refused with a problem that names the field`, async () => {
      for (const path of ['summary', 'sales', 'top-products', 'customers', 'countries']) {
        const { status, body } = await app.ask('GET', `/api/analytics/${path}?${query}`, { token: retail.token })
        assert.equal(status, 400, `${path}: ${JSON.stringify(body)}`)
        assert.equal(body.code, 'E_VALIDATION')
        assert.match(body.errors[0].path, /^\/query\/(from|to|merchant|form)$/)
      }
    })

  it('days of any year that PostgreSQL knows are accepted', async () => {
    assert.equal((await get('summary?from=0001-01-01&to=9999-12-31')).lines, expected.lines)
  })
})
