import assert from 'node:assert/strict'
import { it } from 'node:test'
import { keyHash } from '../../src/near/key_hash.ts'

const KEYS = 65_536

/** The most keys that fall together where only these bits are looked at. */
function fullest(bitsOf: (hash: number) => number, keyOf: (number: number) => string): number {
  const counts = new Map<number, number>()
  for (let number = 0; number < KEYS; number++) {
    const bits = bitsOf(keyHash(keyOf(number)))
    counts.set(bits, (counts.get(bits) ?? 0) + 1)
  }
  return Math.max(...counts.values())
}

const shapes: Record<string, (number: number) => string> = {
  'numbers at the end': (number) => `product:${number}`,
  'numbers in the middle': (number) => `product:${number}:reviews`,
  'numbers in the middle of long keys': (number) => `${'catalogue/'.repeat(5)}${number}${'/full'.repeat(5)}`,
  'text beyond Latin': (number) => `ürün:${String.fromCharCode(0x400 + (number >> 8), 0x400 + (number & 0xff))}`,
}

for (const [shape, keyOf] of Object.entries(shapes))
  it(`spreads ${shape} over the upper and the lower bits alike`, () => {
    // 16 a bucket on the average: 45 would be one in millions.
    assert.ok(fullest((hash) => hash & 0xfff, keyOf) < 45)
    assert.ok(fullest((hash) => hash >>> 20, keyOf) < 45)
    assert.ok(fullest((hash) => hash, keyOf) <= 3)
  })

it('is the same for equal keys, and a whole number of 32 bits for the empty one', () => {
  assert.equal(keyHash(`a${'b'}`), keyHash('ab'))
  assert.equal(keyHash('') | 0, keyHash(''))
})

it('looks at no more than 128 places of a long key', () => {
  const long = 'x'.repeat(1_000)
  const changed = Array.from(long, (_, at) => keyHash(`${long.slice(0, at)}y${long.slice(at + 1)}`))
  const noticed = changed.filter((hash) => hash !== keyHash(long)).length
  assert.ok(noticed > 100 && noticed <= 128, `${noticed} places`)
})
