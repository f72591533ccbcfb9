import { hash } from 'node:crypto'

/** State key under which `conditional` leaves the hash of a reply's whole body: 22 characters, the same for the same bytes. */
export const bodyHash: unique symbol = Symbol('tailwater.http.bodyHash')

/**
 * 132 bits of the SHA-256 of a body: two bodies never share it.
 *
 * SHA-256 because processors have instructions for it; one call of `crypto.hash` avoids the object
 * that `createHash` makes, which for 5 KB costs as much as the hashing.
 */
export function hashBody(body: string | Uint8Array): string {
  return hash('sha256', body, 'base64url').slice(0, 22)
}
