import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type ClientResolverOptions, createClientResolver, type HeaderMap } from '@tailwater/http'

const direct = '203.0.113.9'

function resolve(options: ClientResolverOptions, peer: string, headers: HeaderMap, encrypted = false) {
  return createClientResolver(options).resolve({ address: peer, encrypted }, { host: 'shop.example', ...headers })
}

const forged = {
  'x-forwarded-for': '1.1.1.1',
  'x-forwarded-proto': 'https',
  'x-forwarded-host': 'evil.example',
  forwarded: 'for=1.1.1.1;proto=https;host=evil.example',
}

describe('without trusted proxies', () => {
  test('the socket is believed and no header is', () => {
    assert.deepEqual(resolve({}, direct, forged), { address: direct, protocol: 'http', host: 'shop.example' })
    assert.equal(resolve({}, direct, forged, true).protocol, 'https')
  })

  test('an IPv4 client of a dual-stack socket is told as IPv4', () => {
    assert.equal(resolve({}, `::ffff:${direct}`, {}).address, direct)
  })
})

describe('with trusted ranges', () => {
  const options = { trustedProxies: ['10.0.0.0/8', 'fd00::/8', 'loopback'] }

  test('a peer outside them is not believed', () => {
    assert.deepEqual(resolve(options, direct, forged), { address: direct, protocol: 'http', host: 'shop.example' })
  })

  test('a proxy tells who is calling, how and for which host', () => {
    const headers = { 'x-forwarded-for': direct, 'x-forwarded-proto': 'https', 'x-forwarded-host': 'www.example:8443' }
    const expected = { address: direct, protocol: 'https', host: 'www.example:8443' }
    for (const peer of ['10.1.2.3', '127.0.0.1', '::1', 'fd00::5', '::ffff:10.1.2.3'])
      assert.deepEqual(resolve(options, peer, headers), expected)
  })

  test('what a client put before the proxies’ own entries is ignored', () => {
    const headers = { 'x-forwarded-for': `1.1.1.1, 10.9.9.9, ${direct}, 10.0.0.2` }
    assert.equal(resolve(options, '10.0.0.1', headers).address, direct)
  })

  test('a chain of proxies alone names its furthest', () => {
    assert.equal(resolve(options, '10.0.0.1', { 'x-forwarded-for': '10.0.0.3, 10.0.0.2' }).address, '10.0.0.3')
  })

  test('an entry that is no address ends the chain', () => {
    for (const entry of ['unknown', '_hidden', '999.1.1.1', '', "'; drop"])
      assert.equal(resolve(options, '10.0.0.1', { 'x-forwarded-for': `${entry}, 10.0.0.2` }).address, '10.0.0.2')
  })

  test('ports are left out', () => {
    assert.equal(resolve(options, '10.0.0.1', { 'x-forwarded-for': `${direct}:4711` }).address, direct)
    assert.equal(resolve(options, '10.0.0.1', { 'x-forwarded-for': '[2001:db8::1]:4711' }).address, '2001:db8::1')
    assert.equal(resolve(options, '10.0.0.1', { 'x-forwarded-for': '2001:db8::1' }).address, '2001:db8::1')
  })

  test('a protocol or host that is none is left out', () => {
    const headers = { 'x-forwarded-for': direct, 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'a b/<c>' }
    assert.deepEqual(resolve(options, '10.0.0.1', headers), { address: direct, protocol: 'http', host: 'shop.example' })
  })
})

describe('with a count of proxies', () => {
  test('the entry of the outermost proxy counts', () => {
    const headers = { 'x-forwarded-for': `1.1.1.1, ${direct}, 192.0.2.1` }
    assert.equal(resolve({ trustedProxies: 2 }, '192.0.2.2', headers).address, direct)
    assert.equal(resolve({ trustedProxies: 1 }, '192.0.2.2', headers).address, '192.0.2.1')
    assert.equal(resolve({ trustedProxies: 0 }, '192.0.2.2', headers).address, '192.0.2.2')
  })
})

describe('with Forwarded', () => {
  const options = { trustedProxies: ['10.0.0.0/8'], forwardedHeader: 'forwarded' } as const

  test('its elements are read, quoted or not, from the nearest', () => {
    const forwarded =
      'for=1.1.1.1, for="[2001:db8::17]:4711";proto=HTTPS;host="shop.example:8443", For=10.0.0.2;proto=http'
    assert.deepEqual(resolve(options, '10.0.0.1', { forwarded }), {
      address: '2001:db8::17',
      protocol: 'https',
      host: 'shop.example:8443',
    })
  })

  test('X-Forwarded-For is not read beside it, nor it beside X-Forwarded-For', () => {
    assert.equal(resolve(options, '10.0.0.1', { 'x-forwarded-for': '1.1.1.1' }).address, '10.0.0.1')
    assert.equal(
      resolve({ trustedProxies: ['10.0.0.0/8'] }, '10.0.0.1', { forwarded: 'for=1.1.1.1' }).address,
      '10.0.0.1',
    )
  })

  test('a header that breaks the grammar is not read at all', () => {
    for (const forwarded of ['for=1.1.1.1;;', 'for', 'for="1.1.1.1', '=;', 'for=1.1.1.1 by=2', ','])
      assert.equal(resolve(options, '10.0.0.1', { forwarded }).address, '10.0.0.1', forwarded)
  })
})

test('a proxy that is no address or range is refused', () => {
  for (const entry of ['10.0.0.0/33', '10.0.0', 'proxy.example', '::1/200', '10.0.0.0/x', '10.0.0.0/8/9', ''])
    assert.throws(() => createClientResolver({ trustedProxies: [entry] }), { code: 'E_OPTIONS' }, entry)
  assert.throws(() => createClientResolver({ trustedProxies: -1 }), { code: 'E_OPTIONS' })
})
