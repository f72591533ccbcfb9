import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { HeaderMap } from '../../src/index.ts'
import { initialAge, parseAge } from '../../src/response_cache/age.ts'
import { parseForeignDate } from '../../src/response_cache/expiry_date.ts'
import { currentAge, freshFor, policyOf } from '../../src/response_cache/policy.ts'
import { type Reuse, reuseOf, servesForError } from '../../src/response_cache/reuse.ts'
import type { StoredResponse } from '../../src/response_cache/stored_response.ts'

const NOW = Date.UTC(2030, 0, 1, 12)
const at = (seconds: number) => new Date(NOW + seconds * 1_000).toUTCString()
const times = { requestedAt: NOW, receivedAt: NOW }
const policy = (headers: HeaderMap, status = 200) => policyOf(status, headers, times, ['cdn-cache-control'])

describe('the date of another server', () => {
  const dates: [text: string, moment: number | undefined][] = [
    ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['sun, 06 nov 1994 08:49:37 gmt', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Friday, 18-Aug-50 02:01:18 GMT', Date.UTC(2050, 7, 18, 2, 1, 18)],
    ['Thursday, 18-Aug-81 02:01:18 GMT', Date.UTC(1981, 7, 18, 2, 1, 18)],
    ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['Sun, 06 Nov 1994 08:49:37 UTC', undefined],
    ['Sun, 06 Nov 1994 28:49:37 GMT', undefined],
    ['Sun, 06 Foo 1994 08:49:37 GMT', undefined],
    ['0', undefined],
    ['', undefined],
  ]
  for (const [text, moment] of dates)
    it(`${JSON.stringify(text)} is ${moment === undefined ? 'no date' : 'read'}`, () =>
      assert.equal(parseForeignDate(text, NOW), moment))
})

describe('the age of a response', () => {
  const ages: [header: string | undefined, seconds: number | undefined][] = [
    ['10', 10],
    ['10, 20', 10],
    [' 7 ', 7],
    ['99999999999', 2 ** 31],
    ['-1', undefined],
    ['1.5', undefined],
    ['abc, 7', undefined],
    [undefined, undefined],
  ]
  for (const [header, seconds] of ages)
    it(`Age: ${header} is ${seconds} seconds`, () => assert.equal(parseAge(header), seconds))

  it('counts the time of the exchange on top of the Age header', () => {
    assert.equal(initialAge({ age: '10' }, { requestedAt: NOW, receivedAt: NOW + 2_000 }), 12_000)
  })
  it('is what the Date says when that is more', () => {
    assert.equal(initialAge({ age: '10', date: at(-30) }, times), 30_000)
  })
  it('is never negative, whatever clock the origin has', () => assert.equal(initialAge({ date: at(3_600) }, times), 0))
  it('grows with the time that a response is kept', () => {
    assert.equal(currentAge(policy({ age: '10' }), NOW + 5_000), 15_000)
    assert.equal(freshFor(policy({ age: '10', 'cache-control': 'max-age=60' }), NOW + 5_000), 45_000)
  })
  it('does not shrink when the clock is set back', () => {
    assert.equal(currentAge(policy({ age: '10' }), NOW - 3_600_000), 10_000)
  })
})

describe('the lifetime of a response', () => {
  const lifetimes: [why: string, headers: HeaderMap, seconds: number, status?: number][] = [
    ['max-age', { 'cache-control': 'max-age=60' }, 60],
    ['s-maxage before max-age', { 'cache-control': 'max-age=60, s-maxage=30' }, 30],
    ['max-age before Expires', { 'cache-control': 'max-age=60', expires: at(3_600) }, 60],
    ['Expires less Date', { expires: at(100), date: at(40) }, 60],
    ['Expires less the moment of receipt', { expires: at(100) }, 100],
    ['an Expires that is no date', { expires: '0' }, 0],
    ['an Expires in the past', { expires: at(-10) }, 0],
    ['CDN-Cache-Control before Cache-Control', { 'cache-control': 'no-store', 'cdn-cache-control': 'max-age=5' }, 5],
    ['a malformed CDN-Cache-Control', { 'cache-control': 'max-age=60', 'cdn-cache-control': 'max-age=x' }, 60],
    ['a CDN-Cache-Control that leaves no room for Expires', { expires: at(100), 'cdn-cache-control': 'public' }, 0],
    ['a tenth of the time since the last change', { 'last-modified': at(-1_000), date: at(0) }, 100],
    ['a day at most by rule of thumb', { 'last-modified': at(-86_400 * 100) }, 86_400],
    ['nothing by rule of thumb for a status that is not for it', { 'last-modified': at(-1_000) }, 0, 302],
    [
      'a rule of thumb for any status that is public',
      { 'last-modified': at(-1_000), 'cache-control': 'public' },
      100,
      302,
    ],
    ['a last change in the future', { 'last-modified': at(1_000) }, 0],
    ['nothing', {}, 0],
  ]
  for (const [why, headers, seconds, status] of lifetimes)
    it(`${why} gives ${seconds} s`, () => assert.equal(policy(headers, status).lifetime, seconds * 1_000))
})

describe('the use of a stored response', () => {
  const stored = (headers: HeaderMap, status = 200) => ({ status, policy: policy(headers, status) }) as StoredResponse
  const uses: [response: string, request: HeaderMap, age: number, use: Reuse][] = [
    ['max-age=60', {}, 59, 'fresh'],
    ['max-age=60', {}, 60, 'stale'],
    ['max-age=60, no-cache', {}, 1, 'request'],
    ['max-age=60', { 'cache-control': 'no-cache' }, 1, 'request'],
    ['max-age=60', { pragma: 'no-cache' }, 1, 'request'],
    ['max-age=60', { pragma: 'no-cache', 'cache-control': 'max-age=60' }, 1, 'fresh'],
    ['max-age=60', { 'cache-control': 'max-age=10' }, 11, 'request'],
    ['max-age=60', { 'cache-control': 'max-age=0' }, 0, 'request'],
    ['max-age=60', { 'cache-control': 'min-fresh=10' }, 51, 'request'],
    ['max-age=60', { 'cache-control': 'min-fresh=10' }, 50, 'fresh'],
    ['max-age=60', { 'cache-control': 'max-stale' }, 3_000, 'stale-accepted'],
    ['max-age=60', { 'cache-control': 'max-stale=10' }, 70, 'stale-accepted'],
    ['max-age=60', { 'cache-control': 'max-stale=10' }, 71, 'stale'],
    ['max-age=60, must-revalidate', { 'cache-control': 'max-stale' }, 70, 'stale'],
    ['max-age=60, proxy-revalidate', { 'cache-control': 'max-stale' }, 70, 'stale'],
    ['s-maxage=60', { 'cache-control': 'max-stale' }, 70, 'stale'],
    ['max-age=60, stale-while-revalidate=30', {}, 89, 'stale-while-revalidate'],
    ['max-age=60, stale-while-revalidate=30', {}, 90, 'stale'],
    ['max-age=60, stale-while-revalidate=30, must-revalidate', {}, 61, 'stale'],
    ['max-age=60, stale-while-revalidate=30', { 'cache-control': 'no-cache' }, 61, 'request'],
  ]
  for (const [response, request, age, use] of uses)
    it(`"${response}" after ${age} s, asked with ${JSON.stringify(request)}, is ${use}`, () =>
      assert.equal(reuseOf(stored({ 'cache-control': response }), request, NOW + age * 1_000), use))

  const standIns: [response: string, request: HeaderMap, age: number, status: number, serves: boolean][] = [
    ['max-age=60', {}, 100, 200, true],
    ['max-age=60', {}, 661, 200, false],
    ['max-age=60, stale-if-error=5', {}, 66, 200, false],
    ['max-age=60, stale-if-error=5', {}, 64, 200, true],
    ['max-age=60, must-revalidate', {}, 61, 200, false],
    ['max-age=60, no-cache', {}, 1, 200, false],
    ['max-age=60', { 'cache-control': 'no-cache' }, 61, 200, false],
    ['max-age=60', {}, 61, 503, false],
  ]
  for (const [response, request, age, status, serves] of standIns)
    it(`"${response}" with status ${status} after ${age} s ${serves ? 'stands' : 'does not stand'} in for an error`, () => {
      const given = stored({ 'cache-control': response }, status)
      assert.equal(servesForError(given, request, NOW + age * 1_000, 600_000), serves)
    })
})
