import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type HttpProblem, requestLimits } from '../src/index.ts'
import { type ExchangeParts, exchangeOf } from './exchange_fixture.ts'

function statusOf(parts: ExchangeParts): number {
  try {
    requestLimits({ url: 100, headerCount: 5, headerSize: 300, body: '1kb' }).before!(exchangeOf(parts))
    return 200
  } catch (error) {
    return (error as HttpProblem).status
  }
}

describe('request limits', () => {
  it('refuse an address that is too long, its query included, with 414', () => {
    assert.equal(statusOf({ path: `/${'x'.repeat(99)}` }), 200)
    assert.equal(statusOf({ path: `/${'x'.repeat(100)}` }), 414)
    assert.equal(statusOf({ path: '/x', query: 'y'.repeat(97) }), 200)
    assert.equal(statusOf({ path: '/x', query: 'y'.repeat(98) }), 414)
  })

  it('refuse too many header lines, repeated ones too, with 431', () => {
    assert.equal(statusOf({ headers: { a: '1', b: '2', cookie: ['c', 'd', 'e'] } }), 200)
    assert.equal(statusOf({ headers: { a: '1', b: '2', cookie: ['c', 'd', 'e', 'f'] } }), 431)
  })

  it('refuse headers that are too long together with 431', () => {
    assert.equal(statusOf({ headers: { a: 'x'.repeat(295) } }), 200)
    assert.equal(statusOf({ headers: { a: 'x'.repeat(296) } }), 431)
  })

  it('refuse an announced body that is too long with 413, and end the connection instead of reading it', () => {
    assert.equal(statusOf({ method: 'POST', headers: { 'content-length': '1024' } }), 200)
    assert.throws(
      () => requestLimits({ body: '1kb' }).before!(exchangeOf({ headers: { 'content-length': '1025' } })),
      (error) => (error as HttpProblem).status === 413 && (error as HttpProblem).headers['connection'] === 'close',
    )
  })
})
