import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HeaderMap } from '../../src/index.ts'
import { byteRange } from '../../src/response_cache/byte_range.ts'
import { formatCacheStatus } from '../../src/response_cache/cache_status.ts'
import { policyOf } from '../../src/response_cache/policy.ts'
import { replyFrom } from '../../src/response_cache/stored_reply.ts'
import { surrogateKeys } from '../../src/response_cache/surrogate_keys.ts'
import { selectingValues, varyNames } from '../../src/response_cache/vary.ts'

describe('a range', () => {
  const ranges: [header: string, part: ReturnType<typeof byteRange>][] = [
    ['bytes=0-1', { first: 0, last: 1 }],
    ['bytes=8-', { first: 8, last: 9 }],
    ['bytes=8-99999999999999999999', { first: 8, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-99', { first: 0, last: 9 }],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=5-4', 'whole'],
    ['bytes=0-1,3-4', 'whole'],
    ['items=0-1', 'whole'],
    ['bytes=-', 'whole'],
    ['bytes=1e1-', 'whole'],
  ]
  for (const [header, part] of ranges)
    it(`${header} of ten bytes is ${JSON.stringify(part)}`, () => assert.deepEqual(byteRange(header, 10), part))
  it('of nothing cannot be had', () => assert.equal(byteRange('bytes=-5', 0), 'unsatisfiable'))
})

describe('the reply from a stored response', () => {
  const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT'
  const headers = {
    etag: '"a"',
    'last-modified': MODIFIED,
    'content-type': 'text/plain',
    'cache-control': 'max-age=60',
    date: MODIFIED,
  }
  const stored = {
    status: 200,
    headers: { ...headers, 'content-length': '10' },
    body: Buffer.from('0123456789'),
    policy: policyOf(200, { age: '5' }, { requestedAt: 0, receivedAt: 0 }, []),
    vary: [],
    selected: '[]',
    tags: [],
  }
  const reply = (request: HeaderMap, method = 'GET') => replyFrom(stored, { method, headers: request }, 2_500)

  it('is whole, with its age', () => {
    const { status, headers: sent, body } = reply({})
    assert.deepEqual([status, sent['age'], sent['content-length'], String(body)], [200, '7', '10', '0123456789'])
  })

  const conditions: [request: HeaderMap, status: number][] = [
    [{ 'if-none-match': '"a"' }, 304],
    [{ 'if-none-match': 'W/"a"' }, 304],
    [{ 'if-none-match': '"b", "a"' }, 304],
    [{ 'if-none-match': '*' }, 304],
    [{ 'if-none-match': '"b"' }, 200],
    [{ 'if-none-match': '"b"', 'if-modified-since': MODIFIED }, 200],
    [{ 'if-modified-since': MODIFIED }, 304],
    [{ 'if-modified-since': 'Sunday, 06-Nov-94 08:49:37 GMT' }, 304],
    [{ 'if-modified-since': 'Sun, 06 Nov 1994 08:49:36 GMT' }, 200],
    [{ 'if-modified-since': 'yesterday' }, 200],
    [{ range: 'bytes=0-1' }, 206],
    [{ range: 'bytes=0-1', 'if-range': '"a"' }, 206],
    [{ range: 'bytes=0-1', 'if-range': 'W/"a"' }, 200],
    [{ range: 'bytes=0-1', 'if-range': '"b"' }, 200],
    [{ range: 'bytes=0-1', 'if-range': MODIFIED }, 206],
    [{ range: 'bytes=20-' }, 416],
    [{ range: 'bytes=0-1', 'if-none-match': '"a"' }, 304],
  ]
  for (const [request, status] of conditions)
    it(`to ${JSON.stringify(request)} is ${status}`, () => assert.equal(reply(request).status, status))

  it('as a part says which, and has no other length', () => {
    const { headers: sent, body } = reply({ range: 'bytes=2-3' })
    assert.deepEqual([sent['content-range'], sent['content-length'], String(body)], ['bytes 2-3/10', undefined, '23'])
  })
  it('to HEAD is never a part', () => assert.equal(reply({ range: 'bytes=0-1' }, 'HEAD').status, 200))
  it('as a 304 says nothing of the body', () => {
    const sent = Object.keys(reply({ 'if-none-match': '"a"' }).headers).sort()
    assert.deepEqual(sent, ['age', 'cache-control', 'date', 'etag', 'last-modified'])
  })
})

describe('Vary', () => {
  const same: [name: string, one: string, other: string][] = [
    ['accept-language', 'en, de;q=0.5', 'DE; q=0.5 ,en'],
    ['accept-encoding', 'gzip;q=1, br', 'br, gzip'],
    ['accept', 'a/b, c/d', 'a/b,c/d'],
    ['x-any', '1, 2', '1,2'],
  ]
  for (const [name, one, other] of same)
    it(`selects by ${name} the same for "${one}" and "${other}"`, () =>
      assert.equal(selectingValues([name], { [name]: one }), selectingValues([name], { [name]: other })))

  const different: [name: string, one: string | undefined, other: string | undefined][] = [
    ['accept', 'application/json;version=1', 'application/json;version=2'],
    ['accept', 'a/b, c/d', 'c/d, a/b'],
    ['accept-language', 'en;q=0.5', 'en'],
    ['x-any', 'a b', 'a  b'],
    ['x-any', 'A', 'a'],
    ['x-any', undefined, ''],
    ['x-any', 'x'.repeat(20_000), `${'x'.repeat(19_999)}y`],
  ]
  for (const [name, one, other] of different)
    it(`selects by ${name} otherwise for "${one?.slice(0, 30)}" and "${other?.slice(0, 30)}"`, () =>
      assert.notEqual(selectingValues([name], { [name]: one }), selectingValues([name], { [name]: other })))

  it('is kept short, however long what selects is', () => {
    assert.ok(selectingValues(['x-any'], { 'x-any': 'x'.repeat(20_000) }).length < 64)
  })
  it('takes no property of objects for a header', () => {
    assert.equal(selectingValues(['constructor', '__proto__'], {}), '[null,null]')
  })
  it('names headers once, in lower case and in order', () => {
    assert.deepEqual(varyNames({ vary: ['B, a', 'b'] }), ['a', 'b'])
    assert.equal(varyNames({ vary: 'a, *' }), '*')
  })
})

describe('Cache-Status', () => {
  it('tells what happened, after the caches nearer to the origin', () => {
    assert.equal(formatCacheStatus('ours', { hit: true, ttl: -3 }, 'theirs; hit'), 'theirs; hit, ours; hit; ttl=-3')
    assert.equal(
      formatCacheStatus('ours', { fwd: 'uri-miss', fwdStatus: 200, stored: true, collapsed: false }),
      'ours; fwd=uri-miss; fwd-status=200; stored',
    )
  })
})

describe('surrogate keys', () => {
  it('are listed by spaces or commas, in several headers, each once', () => {
    const headers = { 'surrogate-key': 'a b', 'cache-tag': ['c,a', 'd'] }
    assert.deepEqual(surrogateKeys(headers, ['surrogate-key', 'cache-tag']), ['a', 'b', 'c', 'd'])
  })
  it('are bounded in number and length', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `k${i}`).join(' ')
    for (const tags of [many, 'x'.repeat(257)])
      assert.equal(surrogateKeys({ 'cache-tag': tags }, ['cache-tag']), undefined)
  })
})
