import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, it } from 'node:test'
import type { Route } from '@tailwater/http'
import {
  ADMIN_TOKEN,
  addCategory,
  addCustomer,
  addMerchant,
  addProduct,
  type MerchantApp,
  startMerchantApp,
} from '../testing/merchant_app.ts'

/** Values that some field, somewhere, was not ready for. */
const NASTY: unknown[] = [
  null,
  true,
  '',
  ' ',
  '0',
  '-1',
  '1e309',
  'NaN',
  '9223372036854775808',
  "'; DROP TABLE products; --",
  '%',
  '%00',
  'nul\u0000',
  '\ud800',
  '💡'.repeat(50),
  'a\u0300'.repeat(300),
  'x'.repeat(5_000),
  '__proto__',
  '(a|a)*b',
  '"unclosed & | ! <-> :*',
  '0000-01-01T00:00:00Z',
  '2026-11-22T23:59:60+15:59',
  0,
  -1,
  0.1,
  1e308,
  2 ** 53,
  -(2 ** 31) - 1,
  [],
  [[]],
  {},
  { $gt: 1 },
]

interface Schema {
  properties?: Record<string, Schema>
  items?: Schema
}

describe('bad input', () => {
  let app: MerchantApp
  let merchantId: number
  const good: Record<string, unknown> = {}

  before(async () => {
    app = await startMerchantApp()
    merchantId = (await addMerchant(app, 'northern')).id
    const categoryId = await addCategory(app, 'candles')
    const productId = await addProduct(app, { merchantId, categoryId, sku: 'P', onHand: 1_000_000 })
    const customerId = await addCustomer(app, merchantId, 'ada@example.com')
    Object.assign(good, {
      createProduct: { sku: 'S', title: 'T', price: 1, categoryId },
      replaceProduct: { sku: 'S', title: 'T', price: 1, categoryId },
      changeProduct: { price: 1, images: [{ url: '/a' }] },
      createCategory: { slug: 'c', name: 'C' },
      createCustomer: { name: 'A', country: 'B' },
      changeCustomer: { name: 'A' },
      checkOut: { customerId, lines: [{ productId, quantity: 1 }], payment: { token: 'tok_visa' } },
      returnOrder: { lines: [{ ordinal: 1, quantity: 1 }] },
      putListing: { externalId: 'L', price: 1 },
      createApiKey: { name: 'K' },
      createToken: { apiKey: 'tw_live_' },
    })
  })
  after(() => app.close())

  const send = (
    route: Route,
    {
      path = '1',
      query = '',
      body,
      key = randomUUID() as string,
    }: { path?: string; query?: string; body?: unknown; key?: string },
  ) =>
    app.ask(
      route.method,
      `/api${route.path.replaceAll(/:\w+/g, path)}?${takesMerchant(route) ? `merchant=${merchantId}` : ''}${query}`,
      {
        token: ADMIN_TOKEN,
        headers: { 'idempotency-key': key },
        ...(body !== undefined && { body }),
      },
    )

  async function check(route: Route, sent: Parameters<typeof send>[1]): Promise<void> {
    const { status, headers, body } = await send(route, sent)
    const label = `${route.id} ${JSON.stringify(sent).slice(0, 300)} -> ${status} ${JSON.stringify(body)}`
    assert.ok(status < 500, label)
    if (status < 400) return
    assert.match(String(headers['content-type']), /^application\/problem\+json/, label)
    assert.match(body.code, /^E_[A-Z_]+$/, label)
    if (status === 400)
      assert.ok(
        body.errors?.every((error: { path: string }) => error.path.startsWith('/')) ?? body.code !== 'E_VALIDATION',
        label,
      )
  }

  it('in an address or a query is answered with a problem that names the field', async () => {
    for (const route of app.merchant.routes.filter((one) => one.method === 'GET')) {
      const { properties = {} } = (route.schema.query ?? {}) as Schema
      for (const value of NASTY.map(encode)) {
        if (route.path.includes(':')) await check(route, { path: value || '%20' })
        for (const name of Object.keys(properties)) await check(route, { query: `&${name}=${value}` })
      }
      await check(route, { query: '&unheard=of' })
    }
  })

  it('in a body is answered with a problem that names the field', async () => {
    for (const route of app.merchant.routes.filter((one) => one.schema.body)) {
      for (const body of NASTY) await check(route, { body })
      for (const body of spoilt(good[route.id], route.schema.body as Schema)) await check(route, { body })
    }
  })

  it('in an idempotency key is answered with a problem', async () => {
    const [checkOut] = app.merchant.routes.filter((route) => route.id === 'checkOut')
    for (const key of ['', ' ', 'é', 'x'.repeat(201)]) {
      const { status } = await send(checkOut!, { body: good['checkOut'], key })
      assert.equal(status, 400, key)
    }
  })
})

function takesMerchant({ schema }: Route): boolean {
  return 'merchant' in (((schema.query ?? {}) as Schema).properties ?? {})
}

function encode(value: unknown): string {
  const text = typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value)
  return value === '%00' ? value : encodeURIComponent(text)
}

/** A good value with each of its fields, at any depth, replaced by each nasty one. */
function* spoilt(value: unknown, schema: Schema): Generator<unknown> {
  if (Array.isArray(value)) {
    yield Array.from({ length: 5_000 }, () => value[0])
    for (const inner of [...NASTY, ...spoilt(value[0], schema.items ?? {})]) yield [inner]
    return
  }
  if (value === null || typeof value !== 'object') return
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const own = (value as Record<string, unknown>)[name]
    for (const inner of [...NASTY, ...spoilt(own, property)]) yield { ...value, [name]: inner }
  }
}
