import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HeaderMap } from '../../src/index.ts'
import { policyOf } from '../../src/response_cache/policy.ts'
import {
  freshenedHeaders,
  isConfirmed,
  validatorsOf,
  withoutConditions,
} from '../../src/response_cache/revalidation.ts'
import { endToEnd, whyNotStorable } from '../../src/response_cache/storable.ts'
import type { StoredResponse } from '../../src/response_cache/stored_response.ts'

const FRESH = { 'cache-control': 'max-age=60' }
const AUTHORIZED = { authorization: 'Bearer x' }

interface Asked {
  method?: string
  headers?: HeaderMap
  isOwn?: boolean
}

function why(headers: HeaderMap, status = 200, { method = 'GET', headers: asked = {}, isOwn = false }: Asked = {}) {
  const policy = policyOf(status, headers, { requestedAt: 0, receivedAt: 0 }, ['cdn-cache-control'])
  return whyNotStorable({ method, headers: asked, isOwn }, { status, headers }, policy, ['cdn-cache-control'])
}

describe('what a shared cache stores', () => {
  const cases: [what: string, reason: string | undefined, headers: HeaderMap, status?: number, asked?: Asked][] = [
    ['a fresh response', undefined, FRESH],
    ['a stale one with a validator', undefined, { etag: '"a"' }],
    ['one without lifetime and validator', 'no-lifetime', {}],
    ['a response to HEAD', 'method', FRESH, 200, { method: 'HEAD' }],
    ['a part', 'status', FRESH, 206],
    ['a 304', 'status', FRESH, 304],
    ['an interim response', 'status', FRESH, 103],
    ['a 404 with a lifetime', undefined, FRESH, 404],
    ['an unknown status with a lifetime', undefined, FRESH, 299],
    ['an unknown status by rule of thumb', 'status', { 'last-modified': 'Sun, 06 Nov 1960 08:49:37 GMT' }, 599],
    ['an unknown status that must be understood', 'status', { 'cache-control': 'max-age=60, must-understand' }, 299],
    ['no-store', 'no-store', { 'cache-control': 'max-age=60, no-store' }],
    [
      'no-store with an understood must-understand',
      undefined,
      { 'cache-control': 'max-age=6, no-store, must-understand' },
    ],
    ['private', 'private', { 'cache-control': 'private, max-age=60' }],
    [
      'private for caches, public for the targeted one',
      undefined,
      { 'cache-control': 'private', 'cdn-cache-control': 'max-age=6' },
    ],
    ['private, under the user’s own key', undefined, { 'cache-control': 'private, max-age=60' }, 200, { isOwn: true }],
    ['a cookie', 'set-cookie', { ...FRESH, 'set-cookie': 'a=1' }],
    ['Vary: *', 'vary', { ...FRESH, vary: 'accept, *' }],
    ['a Vary of too many headers', 'vary', { ...FRESH, vary: Array.from({ length: 40 }, (_, i) => `x-${i}`).join() }],
    ['a request with no-store', 'request-no-store', FRESH, 200, { headers: { 'cache-control': 'no-store' } }],
    ['a request with Authorization', 'authorization', FRESH, 200, { headers: AUTHORIZED }],
    ['a request with an API key', 'authorization', FRESH, 200, { headers: { 'x-api-key': 'k' } }],
    [
      'one with Authorization, public',
      undefined,
      { 'cache-control': 'public, max-age=6' },
      200,
      { headers: AUTHORIZED },
    ],
    ['one with Authorization, s-maxage', undefined, { 'cache-control': 's-maxage=6' }, 200, { headers: AUTHORIZED }],
    ['one with Authorization, the user’s own', undefined, FRESH, 200, { headers: AUTHORIZED, isOwn: true }],
  ]
  for (const [what, reason, headers, status, asked] of cases)
    it(`${what}: ${reason ?? 'stored'}`, () => assert.equal(why(headers, status, asked), reason))
})

describe('headers of a connection', () => {
  it('are not passed on, and those that Connection names are not either', () => {
    const headers = {
      connection: 'close, X-Own',
      'x-own': '1',
      'keep-alive': '5',
      te: 'x',
      upgrade: 'h2c',
      'x-kept': '1',
    }
    assert.deepEqual(endToEnd(headers), { 'x-kept': '1' })
  })
  it('cannot name what a message is judged by', () => {
    const headers = { 'content-length': '5', cookie: 'a=1', authorization: 'x', host: 'h', 'cache-control': 'no-store' }
    assert.deepEqual(endToEnd({ ...headers, connection: Object.keys(headers).join() }), headers)
  })
})

describe('a validation', () => {
  const stored = {
    headers: { etag: '"a"', 'last-modified': 'L', 'content-length': '3', 'x-old': '1', age: '9' },
  } as unknown as StoredResponse

  it('asks with the validators of the cache in place of the client’s conditions', () => {
    const client = {
      'if-none-match': '"z"',
      'if-modified-since': 'M',
      'if-range': '"z"',
      range: 'bytes=0-1',
      accept: 'x',
    }
    assert.deepEqual(withoutConditions(client), { accept: 'x' })
    assert.deepEqual(validatorsOf(stored), { 'if-none-match': '"a"', 'if-modified-since': 'L' })
  })
  it('brings headers up to date, but not those of the bytes, nor cookies', () => {
    const updated = freshenedHeaders(stored, { 'x-old': '2', 'content-length': '9', 'set-cookie': 'a=1', age: '4' })
    assert.deepEqual(updated, { etag: '"a"', 'last-modified': 'L', 'content-length': '3', 'x-old': '2' })
  })
  for (const [etag, confirmed] of [
    ['"a"', true],
    ['"b"', false],
    ['W/"b"', true],
    [undefined, true],
  ] as const)
    it(`by a 304 with the tag ${etag} ${confirmed ? 'holds' : 'does not hold'}`, () =>
      assert.equal(isConfirmed(stored, { etag }), confirmed))
})
