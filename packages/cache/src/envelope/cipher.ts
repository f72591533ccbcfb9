import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto'
import { optionsError } from '@tailwater/core'

/**
 * AES-256-GCM for bodies.
 *
 * GCM falls apart when a nonce is used twice under one key, and random nonces of 96 bits are good for 2^32 messages (NIST SP 800-38D, 8.3), which a busy
 * cache writes within weeks. So every process derives a key of its own from the given one and a random salt of 128 bits (HKDF, RFC 5869) and simply counts
 * its nonces. Readers derive the same key from the salt that stands before the body, and remember it.
 *
 * Additional data, head and key of the entry, bind a body to its place: it decrypts nowhere else, and with no other expiry or tags.
 *
 * Body: 4 bytes key id, 16 salt, 12 nonce, 16 tag, then the ciphertext.
 */
export interface BodyCipher {
  encrypt(body: Buffer, additional: Buffer): Buffer
  /** Undefined when the body was encrypted with a key that is not known; throws when it is not what was encrypted, or not there. */
  decrypt(body: Buffer, additional: Buffer): Buffer | undefined
}

const ID = 4
const SALT_END = ID + 16
const NONCE_END = SALT_END + 12
const TAG_END = NONCE_END + 16
/** Derived keys remembered: as many as there are processes, and those of the last deployments. */
const MAX_DERIVED = 1_000

interface NamedKey {
  id: Buffer
  key: Uint8Array
}

/**
 * A cipher with one key, or two while rotating: the first encrypts, both decrypt.
 *
 * @param keys 32 bytes each, for example `keyring.keys('cache')`
 * @throws E_OPTIONS
 */
export function createBodyCipher(keys: readonly Uint8Array[]): BodyCipher {
  if (keys.length < 1 || keys.length > 2)
    throw optionsError('encryption.keys', 'one key, or two while rotating', keys.length)
  for (const key of keys)
    if (!(key instanceof Uint8Array) || key.length !== 32)
      throw optionsError('encryption.keys', 'keys of 32 bytes', '…')
  const named: NamedKey[] = keys.map((key) => ({ id: createHash('sha256').update(key).digest().subarray(0, ID), key }))
  const derived = new Map<string, Buffer>()
  const current = named[0]!
  const salt = randomBytes(16)
  const own = derive(current.key, salt)
  let count = 0

  function derivedFrom({ id, key }: NamedKey, saltOf: Buffer): Buffer {
    const name = id.toString('latin1') + saltOf.toString('latin1')
    const known = derived.get(name)
    if (known) return known
    if (derived.size >= MAX_DERIVED) derived.clear()
    const fresh = derive(key, saltOf)
    derived.set(name, fresh)
    return fresh
  }

  return {
    encrypt(body, additional) {
      const nonce = Buffer.alloc(12)
      nonce.writeUIntBE(++count, 6, 6)
      const cipher = createCipheriv('aes-256-gcm', own, nonce)
      cipher.setAAD(additional)
      const text = cipher.update(body)
      cipher.final()
      return Buffer.concat([current.id, salt, nonce, cipher.getAuthTag(), text])
    },
    decrypt(body, additional) {
      if (body.length < TAG_END) throw new RangeError('an encrypted body that ends before its text')
      const key = named.find(({ id }) => id.equals(body.subarray(0, ID)))
      if (!key) return undefined
      const decipher = createDecipheriv(
        'aes-256-gcm',
        derivedFrom(key, body.subarray(ID, SALT_END)),
        body.subarray(SALT_END, NONCE_END),
      )
      decipher.setAAD(additional)
      decipher.setAuthTag(body.subarray(NONCE_END, TAG_END))
      const text = decipher.update(body.subarray(TAG_END))
      decipher.final()
      return text
    },
  }
}

function derive(key: Uint8Array, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', key, salt, 'tailwater cache body', 32))
}
