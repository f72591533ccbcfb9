import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import type { Keyring } from '@tailwater/core'
import { jobsError } from '../errors.ts'

/** Purpose under which the keyring derives the keys of payloads. */
const PURPOSE = 'job-payload'
/** How an encrypted text begins. It is a JSON string, so that a store may keep it as JSON. */
const MARK = '"tw-enc1:'
/** Bytes of the nonce of AES-GCM (NIST SP 800-38D). */
const NONCE_SIZE = 12
/** Bytes of the tag. */
const TAG_SIZE = 16
/** Characters by which a key is told from another. */
const KEY_ID_LENGTH = 8

/** Encrypts what is stored of a job. */
export interface Encryption {
  /** @param kind bound to the text, so that it cannot be passed off as another kind's */
  encrypt(kind: string, text: string): string
  /** What was never encrypted is given back as it is, so that encryption can be turned on while jobs wait. @throws E_JOB_DECRYPT */
  decrypt(kind: string, stored: string): string
}

/** Whether a stored text is encrypted. */
export const isEncrypted = (stored: string) => stored.startsWith(MARK)

/**
 * AES-256-GCM with keys of the keyring, a random nonce for each text: `"tw-enc1:<key id>:<base64url of nonce, text and tag>"`.
 *
 * The first key encrypts, all decrypt: after a rotation waiting jobs can be read as long as the old secret is kept as the second one.
 * With random nonces one key is good for 2^32 texts (SP 800-38D, section 8.3).
 */
export function createEncryption(keyring: Keyring): Encryption {
  const keys = keyring.keys(PURPOSE).map((key) => ({ key, id: hash('sha256', key, 'hex').slice(0, KEY_ID_LENGTH) }))
  const { key: currentKey, id: currentId } = keys[0]!
  return {
    encrypt(kind, text) {
      const nonce = randomBytes(NONCE_SIZE)
      const cipher = createCipheriv('aes-256-gcm', currentKey, nonce).setAAD(Buffer.from(kind))
      const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${MARK}${currentId}:${sealed.toString('base64url')}"`
    },
    decrypt(kind, stored) {
      if (!isEncrypted(stored)) return stored
      const body = stored.slice(MARK.length, -1)
      const key = keys.find(({ id }) => body.startsWith(`${id}:`))?.key
      if (!key) throw cannotDecrypt(kind, 'the secret it was encrypted with is not among the present ones')
      return open(kind, key, Buffer.from(body.slice(KEY_ID_LENGTH + 1), 'base64url'))
    },
  }
}

function open(kind: string, key: Uint8Array, sealed: Buffer): string {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_SIZE), { authTagLength: TAG_SIZE })
    decipher.setAAD(Buffer.from(kind)).setAuthTag(sealed.subarray(-TAG_SIZE))
    const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_SIZE, -TAG_SIZE)), decipher.final()])
    return text.toString('utf8')
  } catch (cause) {
    throw cannotDecrypt(kind, 'it was changed, or belongs to another kind', cause)
  }
}

const cannotDecrypt = (kind: string, why: string, cause?: unknown) =>
  jobsError('E_JOB_DECRYPT', `what is stored of a job of kind '${kind}' cannot be decrypted: ${why}`, { kind, cause })
