import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '@tailwater/core'
import { whyBypassed } from '../../src/response_cache/bypass.ts'
import { addressOf, cacheKey, keyOfLocation, normaliseHost, originForm } from '../../src/response_cache/cache_key.ts'

const base = { scheme: 'http', host: 'shop.example', target: '/' } as const
const keyOf = (target: string, host = 'shop.example') => cacheKey({ ...base, host, target })

describe('a host', () => {
  const hosts: [sent: string, compared: string | undefined][] = [
    ['shop.example', 'shop.example'],
    ['SHOP.Example', 'shop.example'],
    ['shop.example.', 'shop.example'],
    ['shop.example:80', 'shop.example'],
    ['shop.example:0080', 'shop.example'],
    ['shop.example.:80', 'shop.example'],
    ['shop.example:443', 'shop.example:443'],
    ['127.0.0.1:3000', '127.0.0.1:3000'],
    ['[::1]:80', '[::1]'],
    ['shop.example:port', undefined],
    ['shop.example/x', undefined],
    ['shop.example@evil.example', undefined],
    ['shop.example evil', undefined],
    ['shop..', undefined],
    ['', undefined],
    ['a'.repeat(300), undefined],
  ]
  for (const [sent, compared] of hosts)
    it(`${JSON.stringify(sent.slice(0, 30))} is ${compared ?? 'none'}`, () =>
      assert.equal(normaliseHost('http', sent), compared))
})

describe('a key', () => {
  it('is one for encodings that mean the same for everybody', () => {
    assert.equal(keyOf('/%7Ea/%c3%a9'), keyOf('/~a/%C3%A9'))
  })

  const different: [one: string, other: string][] = [
    ['/a', '/a/'],
    ['/a/b', '/a%2Fb'],
    ['/a/../b', '/b'],
    ['/a/%2e%2e/b', '/a/../b'],
    ['//a', '/a'],
    ['/a?x=1&y=2', '/a?y=2&x=1'],
    ['/a?', '/a'],
    ['/a%00', '/a'],
    ['/a%3Fb', '/a?b'],
    ['/A', '/a'],
    ['/%2561', '/%61'],
    [`/${'a'.repeat(600)}b`, `/${'a'.repeat(600)}c`],
  ]
  for (const [one, other] of different)
    it(`of ${one.slice(0, 20)} is not that of ${other.slice(0, 20)}`, () => assert.notEqual(keyOf(one), keyOf(other)))

  it('is bounded, however long target and user are', () => {
    const key = cacheKey({ ...base, target: `/${'a'.repeat(8_000)}`, user: 'u'.repeat(8_000) })
    assert.ok(key.length < 200, key)
  })
  it('of a user begins with the address, and cannot be had by a target', () => {
    const own = cacheKey({ ...base, user: 'ann' })
    assert.equal(addressOf(own), keyOf('/'))
    assert.notEqual(own, cacheKey({ ...base, user: 'bob' }))
  })
  for (const target of ['*', 'a', '', 'http://shop.example/'])
    it(`cannot be made of the target ${JSON.stringify(target)}`, () =>
      assert.throws(
        () => keyOf(target),
        (error) => hasCode(error, 'E_BAD_REQUEST'),
      ))
})

describe('the target of a request', () => {
  const forms: [target: string, host: string, origin: string | undefined][] = [
    ['/a?b', 'shop.example', '/a?b'],
    ['http://shop.example/a?b', 'SHOP.example:80', '/a?b'],
    ['http://shop.example', 'shop.example', '/'],
    ['http://shop.example?b', 'shop.example', '/?b'],
    ['http://shop.example/a#b', 'shop.example', '/a'],
    ['http://evil.example/a', 'shop.example', undefined],
    ['http://shop.example@evil.example/a', 'shop.example', undefined],
    ['ftp://shop.example/a', 'shop.example', undefined],
    ['shop.example:443', 'shop.example', undefined],
  ]
  for (const [target, host, origin] of forms)
    it(`${target} for ${host} is ${origin ?? 'refused'}`, () => {
      if (origin === undefined)
        assert.throws(
          () => originForm(target, host),
          (error) => hasCode(error, 'E_BAD_REQUEST'),
        )
      else assert.equal(originForm(target, host), origin)
    })
})

describe('an address that a response names', () => {
  const from = { ...base, target: '/orders/1?x' }
  const locations: [location: string, key: string | undefined][] = [
    ['/a', 'http://shop.example/a'],
    ['2', 'http://shop.example/orders/2'],
    ['http://SHOP.example:80/a', 'http://shop.example/a'],
    ['https://shop.example/a', undefined],
    ['//evil.example/a', undefined],
    ['http://[', undefined],
  ]
  for (const [location, key] of locations)
    it(`${location} is ${key ?? 'nothing of ours'}`, () => assert.equal(keyOfLocation(location, from), key))
})

describe('a request that goes past the cache', () => {
  const requests: [headers: Record<string, string>, reason: string | undefined][] = [
    [{}, undefined],
    [{ 'content-length': '0' }, undefined],
    [{ 'content-length': '5' }, 'body'],
    [{ 'transfer-encoding': 'chunked' }, 'body'],
    [{ upgrade: 'h2c' }, 'upgrade'],
    [{ cookie: 'theme=dark' }, undefined],
    [{ cookie: 'theme=dark; sid=1' }, 'cookie'],
    [{ cookie: 'theme=dark, sid=1' }, 'cookie'],
    [{ 'x-forwarded-host': 'evil.example' }, 'rewritten'],
    [{ 'x-forwarded-host': 'shop.example, evil.example' }, 'rewritten'],
    [{ 'x-forwarded-host': 'Shop.example:80' }, undefined],
    [{ 'x-forwarded-proto': 'https' }, 'rewritten'],
    [{ 'x-forwarded-proto': 'http' }, undefined],
    [{ 'x-forwarded-scheme': 'nothttp' }, 'rewritten'],
    [{ 'x-url-scheme': 'http' }, undefined],
    [{ forwarded: 'host=evil.example' }, 'rewritten'],
    [{ forwarded: 'for=1.2.3.4;host=shop.example;proto=http' }, undefined],
    [{ 'x-original-url': '/admin' }, 'rewritten'],
    [{ 'x-http-method-override': 'POST' }, 'rewritten'],
  ]
  for (const [headers, reason] of requests)
    it(`${JSON.stringify(headers)}: ${reason ?? 'looked up'}`, () =>
      assert.equal(whyBypassed({ ...base, method: 'GET', headers }, ['theme']), reason))

  it('is none for its cookies where they are ignored', () => {
    assert.equal(whyBypassed({ ...base, method: 'GET', headers: { cookie: 'sid=1' } }, 'ignore'), undefined)
  })
})
