import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type CorsOptions, cors } from '../src/index.ts'
import { exchangeOf } from './exchange_fixture.ts'

const SHOP = 'https://shop.example'

async function ask(
  options: CorsOptions,
  origin: string | undefined,
  method = 'GET',
  more: Record<string, string> = {},
) {
  const exchange = exchangeOf({ method, headers: { ...(origin && { origin }), ...more } })
  const reply = await cors(options).before!(exchange)
  return { status: reply?.status, headers: { ...exchange.replyHeaders, ...reply?.headers } }
}
const preflight = (options: CorsOptions, origin = SHOP, more: Record<string, string> = {}) =>
  ask(options, origin, 'OPTIONS', { 'access-control-request-method': 'PUT', ...more })

describe('cross-origin requests', () => {
  it('from a listed origin may be read, and say so to caches', async () => {
    const { status, headers } = await ask({ origins: [SHOP, 'https://other.example'], exposedHeaders: ['ETag'] }, SHOP)
    assert.equal(status, undefined)
    assert.deepEqual(headers, {
      vary: 'Origin',
      'access-control-allow-origin': SHOP,
      'access-control-expose-headers': 'ETag',
    })
  })

  it('from another origin may not be read, whatever it looks like', async () => {
    for (const origin of [
      'https://evil.example',
      'http://shop.example',
      `${SHOP}.evil.example`,
      `${SHOP}:8443`,
      'https://SHOP.example',
      'null',
    ])
      assert.deepEqual((await ask({ origins: SHOP }, origin)).headers, { vary: 'Origin' })
  })

  it('without an origin are answered as ever, and still vary by it', async () => {
    assert.deepEqual((await ask({ origins: SHOP }, undefined)).headers, { vary: 'Origin' })
  })

  it('are one answer for everybody under a star', async () => {
    const { headers } = await ask({ origins: '*', exposedHeaders: [] }, SHOP)
    assert.deepEqual(headers, { 'access-control-allow-origin': '*' })
  })

  it('carry credentials where that is allowed, with the origin by name', async () => {
    const { headers } = await ask({ origins: (origin) => origin === SHOP, credentials: true }, SHOP)
    assert.equal(headers['access-control-allow-origin'], SHOP)
    assert.equal(headers['access-control-allow-credentials'], 'true')
  })

  it('may be decided later', async () => {
    const origins = (origin: string) => Promise.resolve(origin === SHOP)
    assert.equal((await ask({ origins }, SHOP)).headers['access-control-allow-origin'], SHOP)
    assert.equal((await ask({ origins }, 'https://evil.example')).headers['access-control-allow-origin'], undefined)
  })
})

describe('a preflight', () => {
  it('is answered without the handler', async () => {
    const { status, headers } = await preflight({
      origins: SHOP,
      methods: ['GET', 'PUT'],
      allowedHeaders: ['content-type'],
      maxAge: '1h',
    })
    assert.equal(status, 204)
    assert.deepEqual(headers, {
      vary: 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers',
      'access-control-allow-origin': SHOP,
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'content-type',
      'access-control-max-age': '3600',
    })
  })

  it('of another origin allows nothing', async () => {
    const { status, headers } = await preflight({ origins: SHOP }, 'https://evil.example')
    assert.equal(status, 204)
    assert.deepEqual(Object.keys(headers), ['vary'])
  })

  it('allows a private network only where asked for and configured', async () => {
    const asked = { 'access-control-request-private-network': 'true' }
    const name = 'access-control-allow-private-network'
    assert.equal((await preflight({ origins: SHOP, privateNetwork: true }, SHOP, asked)).headers[name], 'true')
    assert.equal((await preflight({ origins: SHOP, privateNetwork: true })).headers[name], undefined)
    assert.equal((await preflight({ origins: SHOP }, SHOP, asked)).headers[name], undefined)
  })

  it('is told from a plain OPTIONS request, which goes to the handler', async () => {
    assert.equal((await ask({ origins: SHOP }, SHOP, 'OPTIONS')).status, undefined)
  })
})

it('options that could not work are refused', () => {
  assert.throws(() => cors({ origins: '*', credentials: true }), { code: 'E_OPTIONS' })
  assert.throws(() => cors({ origins: 'shop.example' }), { code: 'E_OPTIONS' })
  assert.throws(() => cors({ origins: [`${SHOP}/`] }), { code: 'E_OPTIONS' })
  assert.throws(() => cors({} as CorsOptions), { code: 'E_OPTIONS' })
  assert.throws(() => cors({ origins: SHOP, allowedHeaders: ['x\r\ny'] }), { code: 'E_OPTIONS' })
})
