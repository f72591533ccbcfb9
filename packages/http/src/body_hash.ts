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
  const known = typeof body === 'string' ? undefined : kept.get(body)
  if (known !== undefined && known !== '') return known
  const made = digest(body)
  if (known === '') kept.set(body as Uint8Array, made)
  return made
}

/** Bodies that are sent many times, with their hash or, before it was asked for, nothing. */
const kept = new WeakMap<Uint8Array, string>()

/** Lets a body's hash be made once, however often it is asked for. Its bytes must not change any more. */
export function hashedOnce<Body extends Uint8Array>(body: Body): Body {
  kept.set(body, '')
  return body
}

function digest(body: string | Uint8Array): string {
  return hash('sha256', body, 'base64url').slice(0, 22)
}
