import { hkdfSync } from 'node:crypto'
import { TailwaterError } from './errors.ts'

/**
 * Keys for one purpose each, derived from `TAILWATER_SECRET`.
 *
 * The first key signs; all of them verify, so that a secret is rotated by putting the new one in
 * front and taking the old one away when what it signed has expired.
 */
export interface Keyring {
  /** 32-byte keys for `purpose` (such as `cursor` or `token`), the current one first. */
  keys(purpose: string): readonly [Uint8Array, ...Uint8Array[]]
}

/** Shortest secret accepted: 32 characters, 128 bits even when it is hexadecimal. */
const MIN_SECRET_LENGTH = 32

/**
 * Derives keys by HKDF-SHA-256 (RFC 5869), the purpose as `info`.
 *
 * @param secrets one secret, or two while rotating, the current one first
 * @throws E_OPTIONS when there is none, more than two, or one is shorter than 32 characters; the secret is never shown
 */
export function createKeyring(secrets: readonly string[]): Keyring {
  if (secrets.length < 1 || secrets.length > 2)
    throw new TailwaterError('E_OPTIONS', `secret must be one secret, or two while rotating, got ${secrets.length}`, {
      path: 'secret',
    })
  for (const secret of secrets)
    if (secret.length < MIN_SECRET_LENGTH)
      throw new TailwaterError(
        'E_OPTIONS',
        `secret must have at least ${MIN_SECRET_LENGTH} characters, got ${secret.length}`,
        { path: 'secret' },
      )
  const derived = new Map<string, readonly [Uint8Array, ...Uint8Array[]]>()
  return {
    keys(purpose) {
      let keys = derived.get(purpose)
      if (!keys) {
        keys = secrets.map((secret) => deriveKey(secret, purpose)) as unknown as readonly [Uint8Array, ...Uint8Array[]]
        derived.set(purpose, keys)
      }
      return keys
    },
  }
}

function deriveKey(secret: string, purpose: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, 'tailwater', purpose, 32))
}
