import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { negotiateCoding, parseWeighted } from '../src/accept.ts'

const OURS = ['zstd', 'br', 'gzip'] as const

describe('Accept-Encoding', () => {
  const cases: [header: string | undefined, chosen: string | undefined, why: string][] = [
    [undefined, 'identity', 'a client that says nothing gets plain bytes'],
    ['', 'identity', 'an empty header asks for plain bytes'],
    ['gzip, deflate, br, zstd', 'zstd', 'between equals the server chooses'],
    ['gzip, br', 'br', 'what the client lacks is not chosen'],
    ['gzip;q=1.0, br;q=0.5', 'gzip', 'the greater weight wins'],
    ['x-gzip', 'gzip', 'x-gzip is gzip'],
    ['GZIP', 'gzip', 'names ignore case'],
    ['deflate', 'identity', 'an unknown coding leaves plain bytes'],
    ['*', 'zstd', 'a star allows everything'],
    ['*;q=0.5, gzip;q=0.1', 'zstd', 'a star does not override what is named'],
    ['zstd;q=0, *', 'br', 'a coding refused by name is not allowed by a star'],
    ['gzip;q=0.2, identity;q=0.8', 'identity', 'plain bytes may be preferred'],
    ['identity;q=0, gzip', 'gzip', 'plain bytes may be refused'],
    ['identity;q=0', undefined, 'refusing plain bytes and naming nothing refuses everything'],
    ['*;q=0', undefined, 'a star refused refuses plain bytes too'],
    ['*;q=0, identity', 'identity', 'plain bytes named survive a star refused'],
    ['gzip;q=2', 'identity', 'a weight that is none leaves its coding out'],
    ['gzip;q=0.0001', 'identity', 'weights have at most three digits'],
    ['gzip ; Q=0.5 , br;q=0.4', 'gzip', 'spaces and case are allowed'],
  ]
  for (const [header, chosen, why] of cases) it(why, () => assert.equal(negotiateCoding(header, OURS), chosen))

  const weight = fc.constantFrom('', ';q=0', ';q=0.1', ';q=0.5', ';q=0.999', ';q=1', ';q=1.000')
  const member = fc.tuple(fc.constantFrom('zstd', 'br', 'gzip', 'deflate', 'identity', '*'), weight)
  const members = fc.uniqueArray(member, { selector: ([name]) => name, maxLength: 6 })

  it('never chooses what is refused, nor less than the best on offer', () => {
    fc.assert(
      fc.property(members, (list) => {
        const header = list.map(([name, q]) => name + q).join(', ')
        const weights = new Map(parseWeighted(header).map(({ value, weight: q }) => [value, q]))
        const weightOf = (name: string) => weights.get(name) ?? weights.get('*') ?? 0
        const chosen = negotiateCoding(header, OURS)
        const isPlainRefused = weights.get('identity') === 0 || (!weights.has('identity') && weights.get('*') === 0)
        const best = Math.max(...OURS.map(weightOf))
        if (chosen === undefined) return assert.ok(isPlainRefused && best === 0)
        if (chosen === 'identity')
          return assert.ok(!isPlainRefused && (best === 0 || (weights.get('identity') ?? 0) > best))
        assert.ok(weightOf(chosen) > 0)
        assert.equal(weightOf(chosen), best)
      }),
    )
  })

  it('reads any text without failing', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const chosen = negotiateCoding(header, OURS)
        assert.ok(chosen === undefined || chosen === 'identity' || OURS.includes(chosen))
      }),
    )
  })
})
