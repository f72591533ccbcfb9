import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { createEnvelopeFormat } from '../../src/envelope/format.ts'
import { meta, products, read, rejectionOf } from './values.ts'

const key = 'product:42'
const encryption = { keys: [Buffer.alloc(32, 1)] }
const formats = {
  plain: createEnvelopeFormat({ namespace: 'product' }),
  compressed: createEnvelopeFormat({ namespace: 'product', compression: { min: 1, ratio: 1 } }),
  encrypted: createEnvelopeFormat({ namespace: 'product', encryption }),
  both: createEnvelopeFormat({ namespace: 'product', encryption, compression: { min: 1, ratio: 1 } }),
}

for (const [name, format] of Object.entries(formats)) {
  it(`random bytes are a miss, ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), fc.boolean(), async (bytes, isVersioned) => {
        // Half of them with a true first byte, to get further than that.
        const given = Buffer.from(isVersioned ? [1, ...bytes] : bytes)
        assert.match(String(await rejectionOf(format, key, given)), /^(foreign|corrupt)$/)
      }),
      { numRuns: 500 },
    )
  })

  it(`an envelope in which any bits are changed is a miss, ${name}`, async () => {
    const whole = await format.encode(key, products(5), meta)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length * 8 - 1),
        // Within the 32 bits that the checksum is sure to notice.
        fc.integer({ min: 1, max: 255 }),
        async (bit, pattern) => {
          const damaged = Buffer.from(whole)
          damaged[bit >> 3]! ^= pattern
          assert.match(String(await rejectionOf(format, key, damaged)), /^(foreign|corrupt)$/)
        },
      ),
      { numRuns: 500 },
    )
  })

  it(`an envelope cut off anywhere, or with more behind it, is a miss, ${name}`, async () => {
    const whole = await format.encode(key, products(5), meta)
    for (let length = 0; length < whole.length; length++)
      assert.notEqual(await rejectionOf(format, key, whole.subarray(0, length)), undefined, String(length))
    assert.equal(await rejectionOf(format, key, Buffer.concat([whole, Buffer.from([0])])), 'corrupt')
    assert.equal(await rejectionOf(format, key, whole), undefined)
  })

  it(`an envelope under another key is a miss, ${name}`, async () => {
    const bytes = await format.encode(key, products(5), meta)
    assert.equal(await rejectionOf(format, 'product:43', bytes), 'corrupt')
    assert.equal((await read(format, key, bytes)).rejected, undefined)
  })
}

it('an envelope of an unknown version is foreign', async () => {
  const bytes = await formats.plain.encode(key, 1, meta)
  for (const version of [0, 2, 123]) {
    bytes[0] = version
    assert.equal(await rejectionOf(formats.plain, key, bytes), 'foreign')
  }
})
