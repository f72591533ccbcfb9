import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nonceOf, type SecurityHeadersOptions, securityHeaders } from '../src/index.ts'
import { exchangeOf } from './exchange_fixture.ts'

function sent(options?: SecurityHeadersOptions, protocol: 'http' | 'https' = 'https') {
  const exchange = exchangeOf({ protocol })
  securityHeaders(options).before!(exchange)
  return { headers: exchange.replyHeaders as Record<string, string>, nonce: nonceOf(exchange) }
}

describe('security headers', () => {
  it('are strict by default', () => {
    const { headers, nonce } = sent()
    assert.deepEqual(headers, {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'strict-origin-when-cross-origin',
      'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'strict-transport-security': 'max-age=15552000',
      'content-security-policy':
        "default-src 'self'; base-uri 'none'; connect-src 'self'; font-src 'self' data:; form-action 'self'; frame-ancestors 'none'; " +
        `img-src 'self' data: blob:; object-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'self' 'nonce-${nonce}'`,
    })
  })

  it('never send HSTS over plain http, where anybody could have added it', () => {
    assert.equal(sent({}, 'http').headers['strict-transport-security'], undefined)
  })

  it('have a nonce of 128 bits that no two replies share', () => {
    const nonces = new Set(Array.from({ length: 100 }, () => sent().nonce!))
    assert.equal(nonces.size, 100)
    for (const nonce of nonces) assert.equal(Buffer.from(nonce, 'base64').length, 16)
  })

  it('make no nonce for a policy that has none', () => {
    const { headers, nonce } = sent({
      csp: { 'script-src': ["'self'"], 'style-src': undefined, 'upgrade-insecure-requests': true },
    })
    assert.equal(nonce, undefined)
    assert.match(headers['content-security-policy']!, /script-src 'self'; upgrade-insecure-requests$/)
  })

  it('may be left out one by one', () => {
    const { headers } = sent({
      csp: false,
      hsts: false,
      referrerPolicy: false,
      permissions: false,
      openerPolicy: 'off',
      resourcePolicy: 'off',
    })
    assert.deepEqual(Object.keys(headers), ['x-content-type-options', 'x-frame-options'])
  })

  it('may only report', () => {
    const { headers } = sent({ cspMode: 'report' })
    assert.equal(headers['content-security-policy'], undefined)
    assert.ok(headers['content-security-policy-report-only'])
  })

  it('let pages be framed where frame-ancestors says so, without an older header against it', () => {
    const { headers } = sent({ csp: { 'frame-ancestors': ['https://portal.example'] } })
    assert.equal(headers['x-frame-options'], undefined)
  })

  it('refuse options that would break out of their header', () => {
    assert.throws(() => securityHeaders({ csp: { 'img-src': ["'self'; script-src *"] } }), { code: 'E_OPTIONS' })
    assert.throws(() => securityHeaders({ csp: { 'img src': [] } }), { code: 'E_OPTIONS' })
    assert.throws(() => securityHeaders({ referrerPolicy: 'no-referrer\r\nx: y' }), { code: 'E_OPTIONS' })
    assert.throws(() => securityHeaders({ permissions: { camera: ['"), x=('] } }), { code: 'E_OPTIONS' })
    assert.throws(() => securityHeaders({ hsts: { maxAge: '1d', preload: true } }), { code: 'E_OPTIONS' })
  })
})
