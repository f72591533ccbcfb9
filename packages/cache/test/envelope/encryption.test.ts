import assert from 'node:assert/strict'
import { it } from 'node:test'
import { createKeyring } from '@tailwater/core'
import { createBodyCipher } from '../../src/envelope/cipher.ts'
import type { Envelope } from '../../src/envelope/envelope.ts'
import { createEnvelopeFormat } from '../../src/envelope/format.ts'
import { layout1 } from '../../src/envelope/layout_1.ts'
import { meta, products, read, rejectionOf } from './values.ts'

const key = 'customer:7'
const value = { name: 'Ada', card: '4111-1111' }
const [older, newer, other] = [1, 2, 3].map((fill) => Buffer.alloc(32, fill)) as [Buffer, Buffer, Buffer]
const withKeys = (...keys: Buffer[]) => createEnvelopeFormat({ namespace: 'customer', encryption: { keys } })

/** A copy that was changed, with a checksum that fits: the work of somebody who can write to the store. */
function forged(name: string, bytes: Buffer, change: (bytes: Buffer) => void = () => {}): Buffer {
  const copy = Buffer.from(bytes)
  change(copy)
  layout1.seal(name, copy)
  return copy
}

it('what is encrypted comes back, and cannot be read in the store', async () => {
  const format = withKeys(newer)
  for (const each of [value, undefined, products(4_000)]) {
    const bytes = await format.encode(key, each, meta)
    assert.deepEqual(await read(format, key, bytes), { rejected: undefined, value: each })
    assert.ok(!bytes.includes('Ada') && !bytes.includes('Product'))
  }
})

it('keys of a keyring are taken as they are', async () => {
  const keys = createKeyring(['a secret of more than 32 characters']).keys('cache')
  const format = createEnvelopeFormat({ namespace: 'customer', encryption: { keys } })
  assert.deepEqual(await read(format, key, await format.encode(key, value, meta)), { rejected: undefined, value })
})

it('while keys are rotated both are read, and the first is written', async () => {
  const [before, during, after] = [withKeys(older), withKeys(newer, older), withKeys(newer)]
  const old = await before.encode(key, value, meta)
  const fresh = await during.encode(key, value, meta)
  assert.deepEqual(await read(during, key, old), { rejected: undefined, value })
  assert.deepEqual(await read(after, key, fresh), { rejected: undefined, value })
  assert.equal(await rejectionOf(before, key, fresh), 'unknown-key')
  assert.equal(await rejectionOf(after, key, old), 'unknown-key')
  assert.equal(await rejectionOf(withKeys(other), key, old), 'unknown-key')
})

it('an encrypted entry is a miss without a key, and one that is not encrypted is a miss with one', async () => {
  const plain = createEnvelopeFormat({ namespace: 'customer' })
  const secret = withKeys(newer)
  assert.equal(await rejectionOf(plain, key, await secret.encode(key, value, meta)), 'unknown-key')
  assert.equal(await rejectionOf(secret, key, await plain.encode(key, value, meta)), 'unencrypted')
})

it('nobody who can write to the store can move an envelope, give it a longer life or other tags', async () => {
  const format = withKeys(newer)
  const bytes = await format.encode(key, value, meta)
  const { headAt, bodyAt } = format.open(key, bytes) as Envelope
  assert.equal(await rejectionOf(format, key, forged(key, bytes)), undefined)
  assert.equal(await rejectionOf(format, 'customer:8', forged('customer:8', bytes)), 'corrupt')
  // Every byte of the head; the count and lengths of the tags lead the reader elsewhere, which is as good.
  for (let at = headAt; at < bodyAt; at++) {
    const changed = forged(key, bytes, (copy) => {
      copy[at]! ^= 0x40
    })
    assert.notEqual(await rejectionOf(format, key, changed), undefined, `byte ${at}`)
  }
  for (let at = bodyAt; at < bytes.length; at++) {
    const changed = forged(key, bytes, (copy) => {
      copy[at]! ^= 1
    })
    assert.notEqual(await rejectionOf(format, key, changed), undefined, `byte ${at}`)
  }
})

it('no two bodies are encrypted under the same key and nonce, in one process or in several', () => {
  const [one, two] = [createBodyCipher([newer]), createBodyCipher([newer])]
  const body = Buffer.from('same')
  const made = Array.from({ length: 500 }, () => [one, two].map((cipher) => cipher.encrypt(body, body))).flat()
  // Salt and nonce stand after the key's id.
  assert.equal(new Set(made.map((bytes) => bytes.subarray(4, 32).toString('hex'))).size, 1_000)
  assert.ok(made.every((bytes) => one.decrypt(bytes, body)?.equals(body)))
})

it('more writers than a reader remembers are still read', () => {
  const reader = createBodyCipher([newer])
  const body = Buffer.from('x')
  const writers = Array.from({ length: 1_005 }, () => createBodyCipher([newer]).encrypt(body, body))
  assert.ok([...writers, ...writers].every((bytes) => reader.decrypt(bytes, body)?.equals(body)))
})
