import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { createTestSchema, type TestSchema } from '@tailwater/postgres/testing'
import { importOnlineRetail } from '../../../src/data/online_retail/import.ts'
import type { ProgressState } from '../../../src/data/progress.ts'
import { merchantMigrations } from '../../../src/database/migrations.ts'
import { fileTotals, thousandths } from './invoice_file.ts'

const file = join(import.meta.dirname, 'odd_lines.csv')
const text = await readFile(file, 'utf8')

async function openSchema(): Promise<TestSchema> {
  const opened = await createTestSchema({ modules: [merchantMigrations] })
  after(opened.close)
  return opened
}

async function fileOf(content: string | Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'import-'))
  after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'file')
  await writeFile(path, content)
  return path
}

/** Everything that an import decides, without ids. */
async function contents({ database, schema }: TestSchema): Promise<Record<string, unknown[]>> {
  const read = async (query: string) => (await database.query(query.replaceAll('@', `${schema}.`))).rows
  return {
    orders: await read(
      `SELECT o.external_id, o.kind, o.status, o.country, o.total::text, o.placed_at, c.external_id AS customer
       FROM @orders o LEFT JOIN @customers c ON c.id = o.customer_id ORDER BY o.external_id`,
    ),
    lines: await read(
      `SELECT o.external_id, l.ordinal, l.kind, l.sku, l.title, l.quantity, l.amount::text, l.sold_at, p.sku AS product
       FROM @order_lines l JOIN @orders o ON o.id = l.order_id LEFT JOIN @products p ON p.id = l.product_id ORDER BY 1, 2`,
    ),
    products: await read(
      'SELECT sku, title, price::text, status, on_hand FROM @products p JOIN @stock s ON s.product_id = p.id ORDER BY sku',
    ),
    customers: await read('SELECT external_id, country FROM @customers ORDER BY 1'),
  }
}

async function rows<Row>({ database, schema }: TestSchema, query: string): Promise<Row[]> {
  return (await database.query<Row>(query.replaceAll('@', `${schema}.`))).rows
}

async function imported(path = file): Promise<TestSchema> {
  const opened = await openSchema()
  await importOnlineRetail({ ...opened, file: path })
  return opened
}

describe('importing Online Retail', () => {
  it('keeps every line: counts and sums are those of the file', async () => {
    const opened = await imported()
    const expected = fileTotals(Buffer.from(text))
    const [found] = await rows<Record<string, string>>(
      opened,
      `SELECT (SELECT count(*) FROM @order_lines) AS lines, (SELECT sum(amount) FROM @order_lines) AS net,
              (SELECT sum(total) FROM @orders) AS total, (SELECT sum(quantity) FROM @order_lines) AS units,
              (SELECT count(*) FROM @orders WHERE kind = 'order') AS orders, (SELECT count(*) FROM @customers) AS customers,
              (SELECT count(*) FROM @orders WHERE kind = 'return') AS returns, (SELECT count(*) FROM @products) AS products`,
    )
    assert.equal(Number(found!['lines']), expected.lines)
    assert.equal(thousandths(found!['net']!), expected.net)
    assert.equal(thousandths(found!['total']!), expected.net)
    assert.equal(Number(found!['units']), expected.units)
    assert.equal(Number(found!['orders']), expected.orders)
    assert.equal(Number(found!['returns']), expected.returns)
    assert.equal(Number(found!['customers']), expected.customers)
    assert.equal(Number(found!['products']), expected.products)
  })

  it("sums by each line's own London date are those of the file, on the days the clocks change too", async () => {
    const opened = await imported()
    const found = await rows<{ day: string; net: string }>(
      opened,
      `SELECT (sold_at AT TIME ZONE 'Europe/London')::date::text AS day, sum(amount)::text AS net
       FROM @order_lines GROUP BY 1`,
    )
    assert.deepEqual(
      new Map(found.map(({ day, net }) => [day, thousandths(net)]).sort() as [string, bigint][]),
      new Map([...fileTotals(Buffer.from(text)).netByDay].sort()),
    )
  })

  it('makes C-invoices returns, and every other an order, whatever its letter', async () => {
    const { orders } = await contents(await imported())
    const kinds = Object.fromEntries(
      (orders as { external_id: string; kind: string }[]).map((o) => [o.external_id, o.kind]),
    )
    assert.equal(kinds['C900003'], 'return')
    assert.equal(kinds['A900006'], 'order')
    assert.equal(kinds['900001'], 'order')
  })

  it('tells lines apart: sales, returns, services, and adjustments that are negative outside a return', async () => {
    const opened = await imported()
    const found = await rows<{ key: string; kind: string }>(
      opened,
      `SELECT o.external_id || '/' || l.ordinal AS key, l.kind FROM @order_lines l JOIN @orders o ON o.id = l.order_id`,
    )
    const kinds = Object.fromEntries(found.map(({ key, kind }) => [key, kind]))
    assert.equal(kinds['900001/1'], 'sale')
    assert.equal(kinds['900001/4'], 'service')
    assert.equal(kinds['C900003/1'], 'return')
    assert.equal(kinds['C900003/2'], 'service')
    assert.equal(kinds['900004/1'], 'adjustment')
    assert.equal(kinds['900014/1'], 'adjustment')
    assert.equal(kinds['A900006/1'], 'service')
    assert.equal(kinds['C900013/1'], 'return')
  })

  it('gives an order its first customer, its first country and its earliest time, and a line its own time', async () => {
    const opened = await imported()
    const [order] = await rows<Record<string, unknown>>(
      opened,
      `SELECT c.external_id AS customer, o.country, o.placed_at, (SELECT count(*)::int FROM @order_lines l WHERE l.order_id = o.id) AS lines,
              (SELECT sold_at FROM @order_lines l WHERE l.order_id = o.id AND ordinal = 5) AS last
       FROM @orders o JOIN @customers c ON c.id = o.customer_id WHERE o.external_id = '900001'`,
    )
    assert.deepEqual(order, {
      customer: '20001',
      country: 'United Kingdom',
      placed_at: new Date('2011-01-04T10:00:00Z'),
      lines: 5,
      last: new Date('2011-10-31T00:16:00Z'),
    })
    const [second] = await rows(
      opened,
      `SELECT c.external_id FROM @orders o JOIN @customers c ON c.id = o.customer_id WHERE o.external_id = '900002'`,
    )
    assert.deepEqual(second, { external_id: '20002' })
  })

  it('reads times as London tells them', async () => {
    const opened = await imported()
    const found = await rows<{ external_id: string; placed_at: Date }>(
      opened,
      'SELECT external_id, placed_at FROM @orders',
    )
    const times = Object.fromEntries(found.map((order) => [order.external_id, order.placed_at.toISOString()]))
    assert.equal(times['900001'], '2011-01-04T10:00:00.000Z')
    assert.equal(times['900008'], '2011-03-27T22:59:59.000Z', 'summer time')
    assert.equal(times['C900010'], '2011-10-30T23:30:00.000Z', 'winter time again')
  })

  it('keeps codes as they are written, titles products by their most frequent description, and prices them by their latest price', async () => {
    const { products } = await contents(await imported())
    const bySku = Object.fromEntries((products as { sku: string }[]).map((product) => [product.sku, product]))
    assert.deepEqual(bySku['70001A'], {
      sku: '70001A',
      title: 'BLUE TIN ROBOT',
      price: '2.550',
      status: 'active',
      on_hand: 0,
    })
    assert.deepEqual(bySku['70001a'], {
      sku: '70001a',
      title: 'BLUE TIN ROBOT',
      price: '5.060',
      status: 'active',
      on_hand: 0,
    })
    assert.deepEqual(bySku['70003'], { sku: '70003', title: 'TEA TOWEL', price: '1.200', status: 'active', on_hand: 0 })
    assert.deepEqual(bySku['70004'], { sku: '70004', title: '70004', price: '0.000', status: 'active', on_hand: 0 })
    assert.deepEqual(bySku['POST'], { sku: 'POST', title: 'POSTAGE', price: '18.000', status: 'archived', on_hand: 0 })
  })

  it('titles a line without a description by its product', async () => {
    const opened = await imported()
    const [line] = await rows(opened, `SELECT title FROM @order_lines WHERE sku = '70003' AND quantity = 12`)
    assert.deepEqual(line, { title: 'TEA TOWEL' })
  })

  it('takes quotes, line breaks, tabs and backslashes inside fields as they are', async () => {
    const opened = await imported()
    const found = await rows<{ title: string }>(
      opened,
      `SELECT title FROM @order_lines WHERE sku IN ('70002', '70007') AND quantity > 0 ORDER BY sku`,
    )
    assert.deepEqual(
      found.map(({ title }) => title),
      ['LAMP, "MOON" SHAPED', 'TWO\nLINES\tAND A TAB \\ BACKSLASH'],
    )
  })

  it('reports every odd line by its number and reason, and keeps the report', async () => {
    const opened = await openSchema()
    const { lines, added, report } = await importOnlineRetail({ ...opened, file })
    assert.equal(lines, 23)
    assert.equal(added, 23)
    assert.equal(report.truncated, false)
    const numbers = (reason: string) => report.lines.filter((entry) => entry.reason === reason).map(({ line }) => line)
    assert.deepEqual(numbers('duplicate'), [3])
    assert.deepEqual(numbers('other-time'), [4, 20])
    assert.deepEqual(numbers('service-code'), [5, 9, 12, 13, 14, 23])
    assert.deepEqual(numbers('no-customer'), [6, 10, 11, 12, 13, 14, 19, 23])
    assert.deepEqual(numbers('no-description'), [7, 11])
    assert.deepEqual(numbers('adjustment'), [10, 11, 23])
    assert.deepEqual(numbers('zero-price'), [10, 11])
    assert.deepEqual(numbers('negative-price'), [12])
    assert.deepEqual(numbers('other-invoice-letter'), [12])
    assert.deepEqual(numbers('other-customer'), [20])
    assert.deepEqual(numbers('other-country'), [20])
    assert.deepEqual(numbers('zero-quantity'), [20])
    assert.deepEqual(numbers('no-stock-code'), [21])
    assert.deepEqual(numbers('no-country'), [21])
    assert.deepEqual(numbers('positive-in-return'), [22])
    assert.deepEqual(await rows(opened, 'SELECT source, lines, added, report FROM @imports'), [
      { source: 'odd_lines.csv', lines: 23, added: 23, report },
    ])
  })

  it('adds nothing the second time', async () => {
    const opened = await imported()
    const before = await contents(opened)
    const again = await importOnlineRetail({ ...opened, file })
    assert.equal(again.added, 0)
    assert.equal(again.report.counts.changed, undefined)
    assert.deepEqual(await contents(opened), before)
  })

  it('adds only what is missing when a longer file follows a shorter one, wherever that was cut', async () => {
    const whole = await contents(await imported())
    const records = text.split('\n')
    for (const kept of [2, 3, 6, 18, 19]) {
      const opened = await imported(await fileOf(records.slice(0, kept).join('\n')))
      const { added } = await importOnlineRetail({ ...opened, file })
      assert.equal(added, 23 - (kept - 1))
      const after = await contents(opened)
      assert.deepEqual(after['orders'], whole['orders'], `cut after line ${kept}`)
      assert.deepEqual(after['lines']!.length, whole['lines']!.length)
    }
  })

  it('leaves what an earlier import loaded when the file has changed, and says which lines', async () => {
    const opened = await imported()
    const before = await contents(opened)
    const changed = text.replace(
      'BLUE TIN ROBOT,6,2011-01-04 10:00:00,2.55',
      'BLUE TIN ROBOT,7,2011-01-04 10:00:00,2.55',
    )
    const { added, report } = await importOnlineRetail({ ...opened, file: await fileOf(changed) })
    assert.equal(added, 0)
    assert.deepEqual(
      report.lines.filter(({ reason }) => reason === 'changed'),
      [{ line: 2, reason: 'changed' }],
    )
    assert.deepEqual(await contents(opened), before)
  })

  it('does not move stock', async () => {
    const opened = await imported()
    await opened.database.query(`UPDATE ${opened.schema}.stock SET on_hand = 7`)
    await importOnlineRetail({ ...opened, file })
    assert.deepEqual(await rows(opened, 'SELECT DISTINCT on_hand, reserved FROM @stock'), [{ on_hand: 7, reserved: 0 }])
  })

  it('keeps the sales of two merchants apart', async () => {
    const opened = await imported()
    const { added } = await importOnlineRetail({ ...opened, file, merchant: { slug: 'second', name: 'Second' } })
    assert.equal(added, 23)
    const counts = await rows(
      opened,
      'SELECT merchant_id::int AS merchant, count(*)::int AS lines FROM @order_lines GROUP BY 1 ORDER BY 1',
    )
    assert.deepEqual(counts, [
      { merchant: 1, lines: 23 },
      { merchant: 2, lines: 23 },
    ])
  })

  it('gives the same result to two imports at the same time as to one', async () => {
    const opened = await openSchema()
    const both = await Promise.all([1, 2].map(() => importOnlineRetail({ ...opened, file })))
    assert.deepEqual(both.map(({ added }) => added).sort(), [0, 23])
    assert.deepEqual(await contents(opened), await contents(await imported()))
  })

  const spellings: Record<string, string | Buffer> = {
    'a byte order mark': `\uFEFF${text}`,
    CRLF: text.replaceAll(/\n(?!LINES)/g, '\r\n'),
    'blank lines': text.replace(/\n/, '\n\n').concat('\n\n'),
    'no line end at the end': text.trimEnd(),
    gzip: gzipSync(text),
    'the spelling of the first publication': text
      .replace(/.*\n/, 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n')
      .replace(/(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):00/g, (_, y, m, d, h, min) => `${+m}/${+d}/${y} ${+h}:${min}`),
  }
  for (const [name, content] of Object.entries(spellings))
    it(`reads a file with ${name}`, async () => {
      assert.deepEqual(await contents(await imported(await fileOf(content))), await contents(await imported()))
    })

  it('tells progress that ascends to its total', async () => {
    const states: ProgressState[] = []
    await importOnlineRetail({ ...(await openSchema()), file, progress: (state) => states.push(state) })
    assert.ok(states.every(({ done }, at) => at === 0 || done >= states[at - 1]!.done))
    assert.deepEqual(states.at(-1), { done: 46, total: 46, label: 'writing order lines' })
  })

  it('stops when it is told to, and leaves nothing behind', async () => {
    const opened = await openSchema()
    const stop = new AbortController()
    const progress = () => stop.abort(new Error('enough'))
    await assert.rejects(importOnlineRetail({ ...opened, file, progress, signal: stop.signal }))
    assert.deepEqual(await rows(opened, 'SELECT count(*)::int AS count FROM @merchants'), [{ count: 0 }])
  })
})
