import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { it } from 'node:test'
import { hasCode } from '@tailwater/core'
import fc from 'fast-check'
import type { EnvelopeCodec } from '../../src/envelope/codec.ts'
import type { Envelope } from '../../src/envelope/envelope.ts'
import { COMPRESSED } from '../../src/envelope/flags.ts'
import { createEnvelopeFormat } from '../../src/envelope/format.ts'
import { layout1 } from '../../src/envelope/layout_1.ts'
import { msgpackCodec } from '../../src/envelope/msgpack.ts'
import { meta, products, read, rejectionOf } from './values.ts'

const format = createEnvelopeFormat({ namespace: 'product' })
const key = 'product:42'

const plainly = { noNullPrototype: true } as const
const milliseconds = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const tag = fc.record({ name: fc.string({ unit: 'grapheme' }), number: fc.maxSafeNat() }, plainly)

it('whatever JSON can say comes back, with its times and tags', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record({ created: milliseconds, fresh: milliseconds, usable: milliseconds, tags: fc.array(tag) }, plainly),
      fc.string({ unit: 'grapheme' }),
      async (value, about, name) => {
        const envelope = format.open(name, await format.encode(name, value, about)) as Envelope
        const { created, fresh, usable, tags } = envelope
        assert.deepEqual({ created, fresh, usable, tags }, about)
        assert.deepEqual(await format.decode(envelope), {
          rejected: undefined,
          value: JSON.parse(JSON.stringify(value)),
        })
      },
    ),
  )
})

it('undefined is a value of its own, and null another', async () => {
  for (const value of [undefined, null]) {
    const decoded = await read(format, key, await format.encode(key, value, meta))
    assert.deepEqual(decoded, { rejected: undefined, value })
  }
})

it('a small body is written and read within the same turn', () => {
  const bytes = format.encode(key, products(10), meta)
  assert.ok(Buffer.isBuffer(bytes))
  const decoded = format.decode(format.open(key, bytes) as Envelope)
  assert.deepEqual(decoded, { rejected: undefined, value: products(10) })
})

it('times beyond what an envelope can say are brought within it', async () => {
  const about = { created: 1.4, fresh: -5, usable: Number.POSITIVE_INFINITY, tags: [] }
  const { created, fresh, usable } = format.open(key, await format.encode(key, 1, about)) as Envelope
  assert.deepEqual([created, fresh, usable], [1, 0, 2 ** 48 - 1])
})

it('bodies from the minimum on are compressed where that saves enough', async () => {
  const whole = createEnvelopeFormat({ namespace: 'product', compression: false })
  for (const [value, isCompressed] of [
    [products(10), false],
    // Compressed within the turn, and by another thread.
    [products(400), true],
    [products(4_000), true],
    ['é'.repeat(9_000), true],
    [randomText(20_000), false],
  ] as const) {
    const bytes = await format.encode(key, value, meta)
    assert.equal(bytes.length < (await whole.encode(key, value, meta)).length, isCompressed)
    assert.equal(((format.open(key, bytes) as Envelope).flags & COMPRESSED) !== 0, isCompressed)
    assert.deepEqual(await read(format, key, bytes), { rejected: undefined, value })
  }
})

it('how much compression must save, and from where on it is tried, can be chosen', async () => {
  const value = products(10)
  const early = createEnvelopeFormat({ namespace: 'product', compression: { min: 100 } })
  const never = createEnvelopeFormat({ namespace: 'product', compression: { min: 100, ratio: 0.01 } })
  const plain = await format.encode(key, value, meta)
  assert.ok((await early.encode(key, value, meta)).length < plain.length)
  assert.equal((await never.encode(key, value, meta)).length, plain.length)
})

it('a compressed body that lies about its length is corrupt, however much it claims', async () => {
  const bytes = await format.encode(key, products(400), meta)
  for (const length of [0, 1, 20_000_000, 2 ** 32 - 1]) {
    const forged = resealed(bytes, (envelope) => envelope.bytes.writeUInt32BE(length, envelope.bodyAt))
    assert.equal(await rejectionOf(format, key, forged), 'corrupt', String(length))
  }
})

it('a value that cannot be written is refused with its namespace, and is not shown', () => {
  const circular: Record<string, unknown> = { secret: 'pa55' }
  circular['self'] = circular
  const throwing = {
    toJSON() {
      throw new Error('pa55')
    },
  }
  for (const [value, reason] of [
    [circular, /refers to itself/],
    [{ secret: 'pa55', count: 5n }, /BigInt/],
    [() => 'pa55', /function/],
    [Symbol('pa55'), /symbol/],
    [throwing, /could not be made/],
  ] as const)
    assert.throws(
      () => format.encode(key, value, meta),
      (error) => {
        assert.ok(hasCode(error, 'E_CACHE_VALUE'))
        assert.match(error.message, /'product'/)
        assert.match(error.message, reason)
        assert.doesNotMatch(error.message + JSON.stringify(error.details), /pa55/)
        return true
      },
    )
})

it('a strict format refuses what JSON would drop or change', async () => {
  const strict = createEnvelopeFormat({ namespace: 'product', strict: true })
  for (const inner of [() => 1, Symbol('s'), new Map(), new Set(), Buffer.from('a'), /a/, new Error('a'), Number.NaN])
    assert.throws(
      () => strict.encode(key, { list: [{ inner }] }, meta),
      (error) => hasCode(error, 'E_CACHE_VALUE') && /'inner'/.test(error.message),
    )
  assert.deepEqual(await read(strict, key, await strict.encode(key, { a: [1, null, 'x'] }, meta)), {
    rejected: undefined,
    value: { a: [1, null, 'x'] },
  })
})

it('MessagePack brings back what JSON cannot say', async () => {
  const packed = createEnvelopeFormat({ namespace: 'product', codec: await msgpackCodec() })
  const value = { at: new Date(5), map: new Map([[1, new Set(['a'])]]), bytes: Buffer.from([0, 255]), none: undefined }
  const decoded = await read(packed, key, await packed.encode(key, value, meta))
  assert.ok(!decoded.rejected)
  assert.deepEqual({ ...(decoded.value as typeof value), bytes: undefined }, { ...value, bytes: undefined })
  assert.ok(value.bytes.equals((decoded.value as typeof value).bytes))
  const large = await packed.encode(key, products(4_000), meta)
  assert.deepEqual(await read(packed, key, large), { rejected: undefined, value: products(4_000) })
  assert.throws(
    () => packed.encode(key, () => 1, meta),
    (error) => hasCode(error, 'E_CACHE_VALUE'),
  )
})

it('bytes that msgpackr gives out are not those of the next call', async () => {
  const codec = await msgpackCodec()
  const first = codec.encode('first')
  codec.encode('other')
  assert.equal(codec.decode(first), 'first')
})

const bodies: EnvelopeCodec = {
  encode(value) {
    if (!Buffer.isBuffer(value)) throw new TypeError('not a body')
    return value
  },
  decode(bytes) {
    if (bytes[0] === 0) throw new TypeError('not a body')
    return bytes
  },
}

it('a codec of the namespace writes the body, and what it refuses is an error or a miss', async () => {
  const own = createEnvelopeFormat({ namespace: 'page', codec: bodies })
  const decoded = await read(own, key, await own.encode(key, Buffer.from('<html>'), meta))
  assert.ok(!decoded.rejected && Buffer.from('<html>').equals(decoded.value as Buffer))
  assert.throws(
    () => own.encode(key, 'text', meta),
    (error) => hasCode(error, 'E_CACHE_VALUE') && error.cause instanceof TypeError,
  )
  assert.equal(await rejectionOf(own, key, await own.encode(key, Buffer.from([0]), meta)), 'corrupt')
})

it('an entry of another codec is a miss, but JSON is always read', async () => {
  const own = createEnvelopeFormat({ namespace: 'page', codec: bodies })
  const packed = createEnvelopeFormat({ namespace: 'page', codec: await msgpackCodec() })
  assert.equal(await rejectionOf(format, key, await own.encode(key, Buffer.from('x'), meta)), 'codec')
  assert.equal(await rejectionOf(own, key, await packed.encode(key, 'x', meta)), 'codec')
  assert.deepEqual(await read(own, key, await format.encode(key, 'x', meta)), { rejected: undefined, value: 'x' })
})

it('wrong options are refused', () => {
  for (const options of [
    { namespace: '' },
    { namespace: 'a', codec: {} },
    { namespace: 'a', compression: { level: 9 } },
    { namespace: 'a', compression: true },
    { namespace: 'a', encryption: { keys: [] } },
    { namespace: 'a', encryption: { keys: [Buffer.alloc(16)] } },
    { namespace: 'a', encryption: { keys: [1, 2, 3].map((fill) => Buffer.alloc(32, fill)) } },
  ])
    assert.throws(
      () => createEnvelopeFormat(options as never),
      (error) => hasCode(error, 'E_OPTIONS'),
    )
})

/** A copy that was changed, with a checksum that fits: the work of somebody who can write to the store. */
function resealed(bytes: Buffer, change: (envelope: Envelope) => void): Buffer {
  const copy = Buffer.from(bytes)
  change(format.open(key, copy) as Envelope)
  layout1.seal(key, copy)
  return copy
}

function randomText(length: number): string {
  // 6.6 bits in each byte: compression saves less than a fifth.
  return Array.from(randomBytes(length), (byte) => String.fromCharCode(33 + (byte % 94))).join('')
}
