import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { parseAge } from '../../src/response_cache/age.ts'
import { whyBypassed } from '../../src/response_cache/bypass.ts'
import { byteRange } from '../../src/response_cache/byte_range.ts'
import { parseDirectives, secondsOf } from '../../src/response_cache/cache_control.ts'
import { cacheKey, normaliseHost } from '../../src/response_cache/cache_key.ts'
import { parseForeignDate } from '../../src/response_cache/expiry_date.ts'
import { splitMembers } from '../../src/response_cache/member_list.ts'
import { requestDirectives } from '../../src/response_cache/reuse.ts'
import { surrogateKeys } from '../../src/response_cache/surrogate_keys.ts'
import { parseTargeted } from '../../src/response_cache/targeted.ts'
import { selectingValues, varyNames } from '../../src/response_cache/vary.ts'

const piece = fc.constantFrom(
  '"',
  '\\',
  ',',
  ';',
  '=',
  ' ',
  '\t',
  'max-age',
  'no-store',
  '60',
  '?0',
  'q=',
  '*',
  '-',
  ':',
  '%2e',
)
const hostile = fc.oneof(
  fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary' }),
)

/** Every parser of what others write, as one call. */
const parsers: Record<string, (text: string) => unknown> = {
  splitMembers,
  parseDirectives,
  parseTargeted,
  parseAge,
  parseForeignDate: (text) => parseForeignDate(text, 0),
  byteRange: (text) => byteRange(text, 100),
  normaliseHost: (text) => normaliseHost('http', text),
  cacheKey: (text) => cacheKey({ scheme: 'http', host: 'a', target: `/${text}` }),
  pragma: (text) => requestDirectives({ pragma: text }),
  surrogateKeys: (text) => surrogateKeys({ t: text }, ['t']),
  varyNames: (text) => varyNames({ vary: text }),
  selecting: (text) =>
    selectingValues(['accept-language', 'accept', 'x'], { 'accept-language': text, accept: text, x: text }),
  bypass: (text) =>
    whyBypassed(
      { method: 'GET', scheme: 'http', host: 'a', target: '/', headers: { cookie: text, forwarded: text } },
      [],
    ),
}

for (const [name, parse] of Object.entries(parsers))
  it(`${name} never throws, whatever is sent`, () => {
    fc.assert(
      fc.property(hostile, (text) => void parse(text)),
      { numRuns: 2_000 },
    )
  })

it('a duration is never negative, not a number or without end', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      for (const directives of [parseDirectives(text), parseTargeted(text)])
        if (directives)
          for (const name of directives.keys()) {
            const seconds = secondsOf(directives, name)!
            assert.ok(seconds >= 0 && seconds <= 2 ** 31)
          }
    }),
    { numRuns: 2_000 },
  )
})

it('a range of a body lies within it', () => {
  fc.assert(
    fc.property(fc.nat(), fc.bigInt({ min: 0n }), fc.bigInt({ min: 0n }), (length, first, last) => {
      for (const header of [`bytes=${first}-${last}`, `bytes=${first}-`, `bytes=-${last}`]) {
        const part = byteRange(header, length)
        if (typeof part === 'object') assert.ok(0 <= part.first && part.first <= part.last && part.last < length)
      }
    }),
  )
})

it('a directive is found behind whatever cannot be read, if no quote is open', () => {
  const unquoted = hostile.filter((text) => !text.includes('"'))
  fc.assert(fc.property(unquoted, (text) => assert.ok(parseDirectives(`${text}, no-store`).has('no-store'))))
})

const REPEATED = [
  '"',
  '\\"',
  '"\\",',
  '"a,',
  ',',
  ' ',
  '\t ,',
  '=',
  'a',
  'a=',
  ' a',
  '-',
  'q=1;',
  '%2',
  'a.',
  'MON',
  ';',
  '"\\',
]

// An expression that backtracks over such a text would take minutes, and the limit of the test run would end it.
for (const [name, parse] of Object.entries(parsers))
  it(`${name} is done with 500 KB of anything`, () => {
    for (const unit of REPEATED) {
      parse(unit.repeat(500_000 / unit.length))
      parse(`max-age=${unit.repeat(500_000 / unit.length)}\u0001`)
    }
  })
