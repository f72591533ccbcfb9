import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import { FakeClock } from '@tailwater/core/testing'
import { quoteSchema } from '@tailwater/postgres'
import { loadData } from '../../src/data/load_data.ts'
import { createIndexes } from '../../src/database/index_builder.ts'
import { merchantStatements } from '../../src/database/statements.ts'
import { createSimulator } from '../../src/marketplaces/simulator/simulator.ts'
import { endedJobs } from '../testing/ended_job.ts'
import { ADMIN_TOKEN, type MerchantApp, startMerchantApp } from '../testing/merchant_app.ts'
import { type RecordedStatement, recordStatements } from '../testing/statement_recorder.ts'

/** Rows above which a table is not to be read from end to end. */
const LARGE = 10_000

describe('on a database of some size', () => {
  const seen = new Map<string, RecordedStatement>()
  const clock = new FakeClock()
  const secret = 'the secret of the seller'
  const marketplaces = [{ slug: 'bazaar-street', wire: 'bazaar', secret }] as const
  const quiet = { latency: 0, errorRate: 0, rateLimit: 0, ordersPerMinute: 0 }
  const simulator = createSimulator({ marketplaces, clock, port: 0, seed: 'statements', mischief: quiet })
  let app: MerchantApp
  let token: string
  let large: Set<string>

  before(async () => {
    await simulator.start()
    const baseUrl = `${simulator.url}/bazaar-street`
    app = await startMerchantApp({
      watch: (database) => recordStatements(database, seen),
      clock,
      marketplaces: [{ ...marketplaces[0], baseUrl, rate: 10_000 }],
    })
    const { database, schema } = app
    const size = { products: 12_500, orders: 20_000, lines: 66_667 }
    const loaded = await loadData({ database, schema, size, secret: new Uint8Array(32) })
    token = loaded!.merchants[0]!.apiKey
    await createIndexes({ database, schema, clock: systemClock })
    const tables = await app.rows<{ table: string }>(
      `SELECT relname AS table FROM pg_class WHERE relnamespace = '$schema'::regnamespace AND reltuples > ${LARGE}`,
    )
    large = new Set(tables.map((row) => row.table))
    seen.clear()
  })
  after(async () => {
    await app.close()
    await simulator.stop()
  })

  const ask: MerchantApp['ask'] = async (method, path, asked = {}) => {
    const answer = await app.ask(method, path, asked)
    assert.ok(answer.status < 400, `${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
    return answer
  }
  const own = (body?: unknown, headers: Record<string, string> = {}) => ({
    token,
    headers,
    ...(body !== undefined && { body }),
  })
  const admin = { token: ADMIN_TOKEN }

  /** The first, a next and a previous page. */
  async function walk(path: string, asked: { token?: string } = {}): Promise<void> {
    const join = path.includes('?') ? '&' : '?'
    const first = await ask('GET', `${path}${join}limit=3`, asked)
    const { next } = first.body.page
    if (!next) return
    const second = await ask('GET', `${path}${join}limit=3&cursor=${next}`, asked)
    await ask('GET', `${path}${join}limit=3&cursor=${second.body.page.previous}`, asked)
  }

  async function askCatalogue(): Promise<void> {
    const prices = ['minPrice=2', 'maxPrice=9', 'minPrice=2&maxPrice=2.5']
    const filters = pairsOf([...prices, 'category=1', 'category=7', 'merchant=2', 'status=archived'])
    for (const sort of ['-created', 'created', 'price', '-price', 'title', '-title'])
      for (const filter of filters) await walk(`/api/products?sort=${sort}&${filter}&total=true`)
    for (const q of ['red', 'glass heart', 'xylophone', 'anter', 'of']) {
      await walk(`/api/products?q=${q}`)
      await walk(`/api/products?q=${q}&sort=price&category=2`)
    }
    await walk('/api/products?fields=id,title,price')
    await ask('GET', '/api/products?offset=40')
    await ask('GET', '/api/products?category=1&offset=9')
    await walk('/api/products?status=draft', { token })
    await walk('/api/products?status=draft', admin)
    await ask('GET', '/api/products/1')
    await ask('GET', '/api/categories')
    await ask('GET', '/api/categories/2')
    await ask('POST', '/api/categories', { ...admin, body: { slug: 'new', name: 'New', parentId: 1 } })
  }

  async function askEditing(): Promise<number> {
    const images = [{ url: '/images/1.webp' }]
    const product = { sku: randomUUID(), title: 'A lamp', price: 5, categoryId: 2, onHand: 50, images }
    const { body } = await ask('POST', '/api/products', own(product))
    await ask('PATCH', `/api/products/${body.id}`, own({ onHand: 60, price: 4.5 }))
    await ask('PUT', `/api/products/${body.id}`, own({ ...product, onHand: 100 }))
    await ask('PUT', `/api/products/${body.id}/listings/1`, own({ externalId: randomUUID(), price: 6 }))
    const unsold = await ask('POST', '/api/products', own({ ...product, sku: randomUUID() }))
    await ask('DELETE', `/api/products/${unsold.body.id}`, own())
    return body.id
  }

  async function askOrders(productId: number): Promise<void> {
    const customer = await ask(
      'POST',
      '/api/customers',
      own({ name: 'Ada', country: 'Malta', email: 'ada@example.com' }),
    )
    const checkOut = (quantity: number) =>
      app.ask('POST', '/api/orders', {
        token,
        headers: { 'idempotency-key': randomUUID() },
        body: {
          customerId: customer.body.id,
          marketplaceId: 1,
          lines: [{ productId, quantity }],
          payment: { token: 'tok_visa' },
        },
      })
    const placed = await checkOut(5)
    assert.equal(placed.status, 201)
    assert.equal((await checkOut(1_000)).status, 409)
    await ask(
      'POST',
      `/api/orders/${placed.body.id}/return`,
      own({ lines: [{ ordinal: 1, quantity: 1 }] }, { 'idempotency-key': randomUUID() }),
    )
    await app.rows(`UPDATE $schema.orders SET status = 'completed' WHERE id = $1`, [placed.body.id])
    await ask('POST', `/api/orders/${placed.body.id}/return`, own())
    await ask('POST', `/api/orders/${(await checkOut(1)).body.id}/cancel`, own())
    await ask('DELETE', `/api/products/${productId}`, own())
    await askOrderLists(customer.body.id)
  }

  async function askOrderLists(customerId: number): Promise<void> {
    const period = 'from=2026-03-01T00:00:00Z&to=2026-03-08T00:00:00Z'
    const long = 'from=2020-01-01T00:00:00Z'
    const statuses = ['status=paid', 'status=completed']
    const filters = pairsOf([...statuses, 'kind=return', 'kind=order', 'customer=7', 'marketplace=2', period, long])
    const customers = pairsOf(['country=Malta', 'country=United Kingdom', 'q=son', 'q=s', 'email=ada@example.com'])
    for (const asked of [{ token }, admin]) {
      for (const filter of filters)
        for (const sort of ['-placed', 'placed']) await walk(`/api/orders?sort=${sort}&${filter}&total=true`, asked)
      for (const filter of customers) await walk(`/api/customers?total=true&${filter}`, asked)
      for (const filter of ['', 'marketplace=1', 'marketplace=1&status=live', 'product=5'])
        await walk(`/api/listings?${filter}`, asked)
      for (const list of ['merchants', 'marketplaces', 'api-keys']) await ask('GET', `/api/${list}`, asked)
    }
    await ask('GET', `/api/customers/${customerId}`, own())
    await ask('PATCH', `/api/customers/${customerId}`, own({ email: 'lovelace@example.com' }))
    await ask('GET', '/api/marketplaces/1', own())
    await ask('GET', '/api/listings/1', admin)
    await ask('GET', '/api/merchants/1', own())
  }

  async function askAccounts(): Promise<void> {
    const made = await ask('POST', '/api/api-keys', own({ name: 'second' }))
    const day = await ask('POST', '/api/auth/token', { body: { apiKey: made.body.key } })
    await ask('GET', '/api/api-keys', { token: day.body.token })
    await ask('DELETE', `/api/api-keys/${made.body.id}`, own())
  }

  /** Inbox, preferences, and what is accepted to be done later. */
  async function askWork(): Promise<void> {
    const wanted = {
      email: 'ops@example.com',
      phone: '+441632960001',
      byEmail: ['order-placed'],
      bySms: ['order-placed'],
    }
    await ask('PUT', '/api/notification-preferences', own(wanted))
    await ask('GET', '/api/notification-preferences', own())
    const judged = await ask('POST', '/api/products/1/quality-check', admin)
    await ask('GET', judged.body.status, admin)
  }

  async function askInbox(): Promise<void> {
    const filters = pairsOf(['unread=true', 'unread=false', 'topic=order-placed'])
    for (const asked of [{ token }, admin])
      for (const filter of filters) await walk(`/api/notifications?total=true&${filter}`, asked)
    const { body } = await ask('GET', '/api/notifications', own())
    await ask('POST', `/api/notifications/${body.data[0].id}/read`, own())
  }

  /** Every kind that nothing of the above has asked for. */
  async function runJobs(): Promise<void> {
    for (const kind of ['daily-reports', 'sales-recalculations', 'search-reindexing', 'warm-up', 'analytics-trimming'])
      await app.jobs.enqueue({ kind, payload: null })
    await app.jobs.start()
    const kinds = ['order-fulfilment', 'notification-email', 'notification-sms', 'sales-report', 'sales-recalculation']
    for (const kind of [
      ...kinds,
      'search-reindexing',
      'warm-pages',
      'audit-entry',
      'quality-check',
      'analytics-trimming',
    ])
      for (const job of await endedJobs(app.jobs, kind)) assert.equal(job.state, 'completed', `${kind}: ${job.error}`)
    await app.jobs.stop()
  }

  /** Time passes for the outbox, too, which goes by the application's clock. */
  async function until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await clock.advance(100)
  }

  /** Listings out, at first in vain; orders in, one that can be filled and one that cannot. */
  async function sellOutside(): Promise<void> {
    const control = async (method: string, path: string, body: unknown) => {
      const answer = await fetch(`${simulator.url}/control/${path}`, { method, body: JSON.stringify(body) })
      assert.ok(answer.ok, await answer.text())
    }
    await app.jobs.start()
    await app.messaging.start()
    const sku = randomUUID()
    const product = { sku, title: 'A lantern', price: 5, categoryId: 2, onHand: 3 }
    const { body } = await ask('POST', '/api/products', own(product))
    await control('PATCH', 'behaviour', { errorRate: 1 })
    await ask('PUT', `/api/products/${body.id}/listings/1`, own({ externalId: sku, price: 6 }))
    const sync = async () => (await ask('GET', '/api/marketplaces/1/sync', own())).body
    await until(async () => (await sync()).error !== null)
    await app.merchant.askMarketplaces()
    await control('PATCH', 'behaviour', { errorRate: 0 })
    await until(async () => (await sync()).listingsWaiting === 0)
    await control('POST', 'bazaar-street/orders', { lines: [{ sku, quantity: 2 }] })
    await control('POST', 'bazaar-street/orders', { lines: [{ sku, quantity: 1 }] })
    await ask('PATCH', `/api/products/${body.id}`, own({ onHand: 2 }))
    await app.rows('UPDATE $schema.marketplace_syncs SET asked_at = NULL')
    assert.equal(await app.merchant.askMarketplaces(), 2)
    await ask('POST', '/api/marketplaces/1/sync', own())
    await app.merchant.tellMarketplaces(1)
    await until(async () => (await sync()).ordersUnanswered === 0)
    await app.messaging.stop()
    await app.jobs.stop()
  }

  async function runServices(): Promise<void> {
    const [sweeper] = app.merchant.services
    await sweeper!.start()
    await clock.advance(60_000)
    await sweeper!.stop()
    const warmUp = app.merchant.services.find(({ name }) => name === 'warm-up')
    await warmUp!.start()
    await app.warmed
    await warmUp!.stop()
  }

  it('no statement reads a large table from end to end', async () => {
    await askCatalogue()
    await askWork()
    await askOrders(await askEditing())
    await askAccounts()
    await runServices()
    await runJobs()
    await askInbox()
    await sellOutside()
    assert.ok(large.has('products') && large.has('orders') && large.has('order_lines'))
    const faults: string[] = []
    for (const statement of [...seen.values()]) {
      for (const scan of await scansOf(`EXPLAIN (FORMAT JSON) ${statement.text}`, statement.values))
        faults.push(`${scan}: ${statement.text} ${JSON.stringify(statement.values)}`)
      if (statement.name)
        for (const scan of await scansOf(`EXPLAIN (GENERIC_PLAN, FORMAT JSON) ${statement.text}`, []))
          faults.push(`${scan} whatever the values: ${statement.text}`)
    }
    assert.deepEqual(faults, [])
  })

  it('every registered statement was among those explained', () => {
    const missing = merchantStatements(quoteSchema(app.schema)).filter(({ text }) => !seen.has(text))
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    )
  })

  /** Large tables that a plan reads from end to end. */
  async function scansOf(text: string, values: readonly unknown[]): Promise<string[]> {
    const [row] = await app.rows<{ 'QUERY PLAN': { Plan: PlanNode }[] }>(text, [...values])
    return nodesOf(row!['QUERY PLAN'][0]!.Plan)
      .filter((node) => node['Node Type'] === 'Seq Scan' && large.has(node['Relation Name'] ?? ''))
      .map((node) => `sequential scan of ${node['Relation Name']}`)
  }
})

/** None of them, each alone, and any two that don't name the same parameter. */
function pairsOf(filters: readonly string[]): string[] {
  const names = (filter: string) => [...new URLSearchParams(filter).keys()]
  const pairs = filters.flatMap((one, at) =>
    filters
      .slice(at + 1)
      .filter((other) => !names(other).some((name) => names(one).includes(name)))
      .map((other) => `${one}&${other}`),
  )
  return ['', ...filters, ...pairs]
}

interface PlanNode {
  'Node Type': string
  'Relation Name'?: string
  Plans?: PlanNode[]
}

function nodesOf(plan: PlanNode): PlanNode[] {
  return [plan, ...(plan.Plans ?? []).flatMap(nodesOf)]
}
