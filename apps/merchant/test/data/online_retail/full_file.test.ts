import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { type ImportResult, importOnlineRetail } from '../../../src/data/online_retail/import.ts'
import * as shape from '../../../src/data/shape.ts'
import { createIndexes } from '../../../src/database/index_builder.ts'
import { ADMIN_TOKEN, type MerchantApp, startMerchantApp } from '../../testing/merchant_app.ts'
import { measureShape } from '../shape_measurement.ts'
import { type FileTotals, fileTotals, thousandths } from './invoice_file.ts'

const file = process.env['ONLINE_RETAIL_FILE']

if (!file) console.log('ONLINE_RETAIL_FILE does not name the UCI file: the tests on the whole of it are left out.')
else
  describe(`the whole UCI file (${file})`, () => {
    let app: MerchantApp
    let expected: FileTotals
    let first: ImportResult

    before(async () => {
      expected = fileTotals(await readFile(file))
      app = await startMerchantApp()
      const { database, schema } = app
      first = await importOnlineRetail({ database, schema, file })
      await createIndexes({ database, schema, clock: systemClock })
    })
    after(() => app.close())

    const get = async (path: string) => (await app.ask('GET', `/api/analytics/${path}`, { token: ADMIN_TOKEN })).body
    const exact = (value: number) => thousandths(String(value))

    it('has 541,909 lines, all of them loaded', () => {
      assert.equal(expected.lines, 541_909)
      assert.deepEqual([first.lines, first.added], [541_909, 541_909])
    })

    it('is summed up to the third decimal', async () => {
      const summary = await get('summary')
      assert.equal(summary.lines, 541_909)
      assert.equal(summary.orders + summary.returns, 25_900)
      assert.deepEqual([summary.orders, summary.returns], [expected.orders, expected.returns])
      assert.equal(summary.customers, 4_372)
      assert.equal(summary.products, 4_070)
      assert.equal(summary.units, expected.units)
      assert.equal(exact(summary.netRevenue), expected.net)
      assert.equal(exact(summary.grossRevenue) - exact(summary.returnsValue), expected.net)
    })

    it("is summed up by each line's own London date", async () => {
      const { data } = await get('sales')
      const net = data.map((day: { day: string; netRevenue: number }) => [day.day, exact(day.netRevenue)])
      assert.deepEqual(new Map(net), new Map([...expected.netByDay].sort()))
      const lines = data.map((day: { day: string; lines: number }) => [day.day, day.lines])
      assert.deepEqual(new Map(lines), new Map([...expected.linesByDay].sort()))
    })

    it('keeps its 5,268 exact duplicates and reports them, as every other odd line', () => {
      assert.deepEqual(first.report.counts, {
        'no-customer': 135_080,
        'no-description': 1_454,
        'zero-price': 2_515,
        'negative-price': 2,
        'service-code': 2_946,
        adjustment: 1_336,
        'other-invoice-letter': 3,
        'other-time': 2_025,
        duplicate: 5_268,
      })
    })

    it('adds nothing the second time', async () => {
      const before = await get('summary')
      const { added } = await importOnlineRetail({ database: app.database, schema: app.schema, file })
      assert.equal(added, 0)
      assert.deepEqual(await get('summary'), before)
    })

    it('has the shape that data is generated in', async () => {
      const constants: Record<string, unknown> = { ...shape }
      for (const [name, measured] of Object.entries(await measureShape(file)))
        assert.deepEqual(measured, constants[name], name)
    })
  })
