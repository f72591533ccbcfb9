import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { matchesStrongly, matchesWeakly, parseTag, parseTagList, tagOfVariant } from '../src/entity_tag.ts'

describe('an ETag', () => {
  it('is read with commas and W/ inside its quotes', () => {
    assert.deepEqual(parseTagList('"a,b" , W/"W/c"'), [
      { weak: false, opaque: '"a,b"' },
      { weak: true, opaque: '"W/c"' },
    ])
  })

  it('that is malformed is passed over', () => {
    assert.deepEqual(parseTagList('abc, "ok", "unfinished'), [{ weak: false, opaque: '"ok"' }])
    assert.equal(parseTag('abc'), undefined)
  })

  it('compares weakly whether or not either is weak, and strongly only if neither is (RFC 9110, 8.8.3.2)', () => {
    const [weak1, weak2, strong1] = ['W/"1"', 'W/"2"', '"1"'].map((tag) => parseTag(tag)!)
    assert.deepEqual(
      [
        [matchesStrongly([weak1!], weak1!), matchesWeakly([weak1!], weak1!)],
        [matchesStrongly([weak1!], weak2!), matchesWeakly([weak1!], weak2!)],
        [matchesStrongly([weak1!], strong1!), matchesWeakly([weak1!], strong1!)],
        [matchesStrongly([strong1!], strong1!), matchesWeakly([strong1!], strong1!)],
      ],
      [
        [false, true],
        [false, false],
        [false, true],
        [true, true],
      ],
    )
  })

  it('of a compressed variant names the same version of the resource', () => {
    const current = parseTag('"v7"')!
    assert.ok(matchesStrongly(parseTagList(tagOfVariant('"v7"', 'zstd')), current))
    assert.ok(!matchesStrongly(parseTagList(tagOfVariant('"v8"', 'zstd')), current))
    assert.ok(!matchesStrongly(parseTagList('"v7+deflate"'), current))
  })

  it('is read from any text without failing', () => {
    fc.assert(fc.property(fc.string(), (header) => void parseTagList(header)))
  })
})
