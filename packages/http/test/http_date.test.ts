import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { formatHttpDate, parseHttpDate } from '../src/http_date.ts'

it('an HTTP date is read back to the second it was written from', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800 }), (seconds) => {
      assert.equal(parseHttpDate(formatHttpDate(seconds * 1_000 + 999)), seconds * 1_000)
    }),
  )
})

it('what is not an HTTP date is none', () => {
  for (const text of [
    '',
    '0',
    '2026-11-22T10:00:00Z',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Sun, 06 Foo 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 CET',
  ])
    assert.equal(parseHttpDate(text), undefined)
})
