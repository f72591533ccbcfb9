import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '@tailwater/core'
import type { Route } from '@tailwater/http'
import { signatureOf } from '../../src/marketplaces/signature.ts'
import { invoiceKey } from '../../src/orders/invoice.ts'
import { salesReportKey } from '../../src/reports/sales_report.ts'
import {
  ADMIN_TOKEN,
  type Asked,
  addCategory,
  addCustomer,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
  type TestMerchant,
} from '../testing/merchant_app.ts'

/** What one merchant has of everything that belongs to somebody. */
interface Belongings {
  product: number
  draft: number
  customer: number
  order: number
  listing: number
  key: number
  notification: number
  job: string
}

/** Shared with a marketplace, which nobody calls. */
const SECRET = 'the secret of the seller'

/** Of a report that was written. */
const DAY = '2026-11-22'

describe('every route', () => {
  let app: MerchantApp
  let northern: TestMerchant
  let southern: TestMerchant
  let categoryId: number
  let marketplaceId: number
  let belongings: Belongings

  before(async () => {
    app = await startMerchantApp({
      marketplaces: [{ slug: 'bazaar', wire: 'bazaar', baseUrl: 'http://127.0.0.1:9', secret: SECRET }],
    })
    northern = await addMerchant(app, 'northern')
    southern = await addMerchant(app, 'southern')
    categoryId = await addCategory(app, 'candles')
    const [marketplace] = await app.rows<{ id: number }>(
      `INSERT INTO $schema.marketplaces (slug, name) VALUES ('bazaar', 'Bazaar') RETURNING id::float8 AS id`,
    )
    marketplaceId = marketplace!.id
    belongings = await furnish(northern)
  })
  after(() => app.close())

  async function furnish({ id, token }: TestMerchant): Promise<Belongings> {
    const of = { merchantId: id, categoryId }
    const product = await addProduct(app, { ...of, sku: 'P' })
    const draft = await addProduct(app, { ...of, sku: 'D', status: 'draft' })
    const customer = await addCustomer(app, id, 'ada@example.com')
    const order = await app.ask('POST', '/api/orders', checkOut(token, customer, product))
    const listing = await app.ask('PUT', `/api/products/${product}/listings/${marketplaceId}`, {
      token,
      body: { externalId: `L-${product}`, price: 5 },
    })
    const keys = await app.ask('GET', '/api/api-keys', { token })
    const [notification] = await app.rows<{ id: number }>(
      `INSERT INTO $schema.notifications (merchant_id, key, topic, title, text) VALUES ($1, 'k', 'order-placed', 'T', 'T')
       RETURNING id::float8 AS id`,
      [id],
    )
    const judged = await app.ask('POST', `/api/products/${draft}/quality-check`, { token })
    const page = Buffer.from('a page')
    await app.files.write(invoiceKey({ id: order.body.id, merchantId: id }), page)
    await app.files.write(salesReportKey({ merchantId: id, day: DAY }), page)
    return {
      product,
      draft,
      customer,
      order: order.body.id,
      listing: listing.body.id,
      key: keys.body.data[0].id,
      notification: notification!.id,
      job: judged.body.jobId,
    }
  }

  const checkOut = (token: string, customerId: number, productId: number): Asked => ({
    token,
    headers: { 'idempotency-key': randomUUID() },
    body: { customerId, lines: [{ productId, quantity: 1 }], payment: { token: 'tok_visa' } },
  })
  const newProduct = () => ({ sku: randomUUID(), title: 'T', price: 1, categoryId })

  /** A good request to each route, about what belongs to the northern merchant; its body made anew each time. */
  const requests = (): Record<string, { path: string; body?: unknown; headers?: Record<string, string> }> => {
    const { product, draft, customer, order, listing, key, notification, job } = belongings
    return {
      createToken: { path: '/auth/token' },
      analyticsSummary: { path: '/analytics/summary' },
      analyticsSales: { path: '/analytics/sales' },
      analyticsTopProducts: { path: '/analytics/top-products' },
      analyticsCustomers: { path: '/analytics/customers' },
      analyticsCountries: { path: '/analytics/countries' },
      listMerchants: { path: '/merchants' },
      showMerchant: { path: `/merchants/${northern.id}` },
      listApiKeys: { path: '/api-keys' },
      createApiKey: { path: '/api-keys', body: { name: 'another' } },
      revokeApiKey: { path: `/api-keys/${key}` },
      listProducts: { path: '/products?status=draft' },
      showProduct: { path: `/products/${draft}` },
      createProduct: { path: '/products', body: newProduct() },
      replaceProduct: { path: `/products/${product}`, body: newProduct() },
      changeProduct: { path: `/products/${product}`, body: { price: 2 } },
      removeProduct: { path: `/products/${product}` },
      listCategories: { path: '/categories' },
      showCategory: { path: `/categories/${categoryId}` },
      createCategory: { path: '/categories', body: { slug: `c-${randomUUID()}`, name: 'C' } },
      listCustomers: { path: '/customers' },
      showCustomer: { path: `/customers/${customer}` },
      createCustomer: { path: '/customers', body: { name: 'Ada', country: 'Malta' } },
      changeCustomer: { path: `/customers/${customer}`, body: { name: 'Lovelace' } },
      listOrders: { path: '/orders' },
      showOrder: { path: `/orders/${order}` },
      checkOut: { path: '/orders', ...checkOut('', customer, product) },
      cancelOrder: { path: `/orders/${order}/cancel` },
      returnOrder: { path: `/orders/${order}/return` },
      showInvoice: { path: `/orders/${order}/invoice` },
      showSalesReport: { path: `/reports/sales/${DAY}` },
      listNotifications: { path: '/notifications' },
      readNotification: { path: `/notifications/${notification}/read` },
      showNotificationPreferences: { path: '/notification-preferences' },
      replaceNotificationPreferences: {
        path: '/notification-preferences',
        body: { email: 'ops@example.com', phone: null, byEmail: ['order-placed'], bySms: [] },
      },
      checkQuality: { path: `/products/${product}/quality-check` },
      showJob: { path: `/jobs/${job}` },
      listMarketplaces: { path: '/marketplaces' },
      showMarketplace: { path: `/marketplaces/${marketplaceId}` },
      showMarketplaceSync: { path: `/marketplaces/${marketplaceId}/sync` },
      repeatMarketplaceSync: { path: `/marketplaces/${marketplaceId}/sync` },
      receiveMarketplaceOrder: signedOrder(),
      listListings: { path: '/listings' },
      showListing: { path: `/listings/${listing}` },
      putListing: {
        path: `/products/${product}/listings/${marketplaceId}`,
        body: { externalId: `L-${product}`, price: 6 },
      },
    }
  }

  const isOpen = (route: Route) => route.security === undefined
  const SHARED = ['listMarketplaces', 'showMarketplace', 'showMarketplaceSync', 'repeatMarketplaceSync']
  /** Everybody has some of their own, and no number tells whose they are. */
  const OWN = ['showNotificationPreferences', 'replaceNotificationPreferences']
  const MAKING = ['createApiKey', 'createProduct', 'createCustomer']

  function ask(route: Route, token?: string, query = '') {
    const { path, body, headers } = requests()[route.id]!
    const address = `/api${path}${query && (path.includes('?') ? `&${query}` : `?${query}`)}`
    return app.ask(route.method, address, {
      ...(token !== undefined && { token }),
      ...(body !== undefined && { body }),
      ...(headers && { headers }),
    })
  }

  /** What of the northern merchant's could be told apart afterwards. */
  async function snapshot() {
    const tables = ['products', 'customers', 'orders', 'listings', 'stock', 'api_keys', 'merchants', 'notifications']
    const found = []
    for (const table of tables)
      found.push(await app.rows(`SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) AS sum FROM $schema.${table} t`))
    return found
  }

  it('is in this table', () => {
    assert.deepEqual(app.merchant.routes.map((route) => route.id).sort(), Object.keys(requests()).sort())
  })

  it('refuses strangers and bad tokens, unless it is open', async () => {
    for (const route of app.merchant.routes.filter((one) => !isOpen(one)))
      for (const token of [undefined, 'nonsense', `tw_live_${'x'.repeat(43)}`]) {
        const refused = await ask(route, token)
        assert.equal(refused.status, 401, route.id)
        assert.equal(refused.headers['www-authenticate'], 'Bearer')
      }
  })

  it('shows and changes nothing of another merchant, as if there were no such thing', async () => {
    const before = await snapshot()
    for (const route of app.merchant.routes) {
      if (isOpen(route) && route.id !== 'listProducts' && route.id !== 'showProduct') continue
      if (
        SHARED.includes(route.id) ||
        OWN.includes(route.id) ||
        MAKING.includes(route.id) ||
        route.id === 'createCategory'
      )
        continue
      const answer = await ask(route, southern.token)
      const label = `${route.id} ${answer.status} ${JSON.stringify(answer.body)}`
      if (route.id === 'checkOut') assert.equal(answer.status, 422, label)
      else if (route.id === 'listMerchants')
        assert.deepEqual(
          answer.body.data.map((one: { id: number }) => one.id),
          [southern.id],
        )
      else if (route.id === 'listApiKeys') assert.notEqual(answer.body.data[0].id, belongings.key)
      else if (route.id.startsWith('list')) assert.deepEqual(answer.body.data, [], label)
      else if (route.id.startsWith('analytics')) assert.equal(hasFigures(answer.body), false, label)
      else assert.equal(answer.status, 404, label)
    }
    assert.deepEqual(await snapshot(), before)
  })

  it('gives another merchant named in the query nothing either', async () => {
    const before = await snapshot()
    for (const route of app.merchant.routes.filter((one) => takesMerchant(one))) {
      const answer = await ask(route, southern.token, `merchant=${northern.id}`)
      if (route.id.startsWith('list')) assert.deepEqual(answer.body.data, [], route.id)
      else if (route.id.startsWith('analytics')) assert.equal(hasFigures(answer.body), false, route.id)
      else assert.equal(answer.status, 404, `${route.id} ${JSON.stringify(answer.body)}`)
    }
    assert.deepEqual(await snapshot(), before)
  })

  it('asks administrators in whose name they make something', async () => {
    for (const route of app.merchant.routes.filter((one) => MAKING.includes(one.id) || one.id === 'checkOut')) {
      assert.equal((await ask(route, ADMIN_TOKEN)).body.code, 'E_MERCHANT_REQUIRED', route.id)
      const unknown = await ask(route, ADMIN_TOKEN, 'merchant=999999')
      assert.ok(unknown.status === 404 || unknown.status === 422, `${route.id} ${unknown.status}`)
      assert.equal((await ask(route, ADMIN_TOKEN, `merchant=${northern.id}`)).status, 201, route.id)
    }
  })

  it('of the analytics tells a merchant its own figures', async () => {
    for (const route of app.merchant.routes.filter((one) => one.id.startsWith('analytics')))
      assert.equal(hasFigures((await ask(route, northern.token)).body), true, route.id)
  })

  it('lets merchants change nothing that all share', async () => {
    const createCategory = app.merchant.routes.find((route) => route.id === 'createCategory')!
    assert.equal((await ask(createCategory, northern.token)).status, 403)
    assert.equal((await ask(createCategory, ADMIN_TOKEN)).status, 201)
  })

  it('serves its own merchant, and administrators', async () => {
    // What ends something comes last.
    const last = ['returnOrder', 'cancelOrder', 'removeProduct', 'revokeApiKey']
    const routes = app.merchant.routes.toSorted((a, b) => last.indexOf(a.id) - last.indexOf(b.id))
    for (const token of [northern.token, ADMIN_TOKEN]) {
      belongings = await furnish(
        await addMerchant(app, `m-${randomUUID()}`).then((made) => Object.assign(northern, made)),
      )
      for (const route of routes) {
        const mine = token === ADMIN_TOKEN ? token : northern.token
        if (route.id === 'createCategory' || (route.id === 'createToken' && token === ADMIN_TOKEN)) continue
        if (route.id === 'cancelOrder')
          belongings.order = (
            await app.ask('POST', '/api/orders', checkOut(northern.token, belongings.customer, belongings.product))
          ).body.id
        const answer = await ask(route, mine, takesMerchant(route) ? `merchant=${northern.id}` : '')
        assert.ok(answer.status < 300, `${route.id} ${answer.status} ${JSON.stringify(answer.body)}`)
      }
    }
  })
})

/** As the marketplace calls; of a product that nobody has listed. */
function signedOrder() {
  const path = '/marketplace-webhooks/bazaar'
  const data = JSON.stringify({
    id: 'B-1',
    status: 'new',
    placed_at: '2026-11-22T10:00:00Z',
    buyer: { full_name: 'Ada', email: 'ada@example.com' },
    ship_to: { country: 'Malta' },
    items: [{ sku: 'nothing', quantity: 1, unit_price: '1.00' }],
  })
  const at = systemClock.now()
  const signature = signatureOf(SECRET, { at, method: 'POST', path: `/api${path}`, body: data })
  return {
    path,
    body: { data },
    headers: { 'x-marketplace-timestamp': String(at), 'x-marketplace-signature': signature },
  }
}

function takesMerchant({ schema }: Route): boolean {
  const { properties } = (schema.query ?? {}) as { properties?: Record<string, unknown> }
  return properties !== undefined && 'merchant' in properties
}

/** Whether anything was sold, as far as an answer tells. */
function hasFigures(value: unknown): boolean {
  if (typeof value === 'number') return value !== 0
  return value !== null && typeof value === 'object' && Object.values(value).some(hasFigures)
}
