import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** Milliseconds that a signature holds, before and after its moment: clocks differ, and a recorded request must not be worth much. */
export const SIGNATURE_WINDOW = 300_000

/** What a signature is made over. */
export interface SignedParts {
  /** In milliseconds since the Unix epoch. */
  at: number
  method: string
  /** With its query. */
  path: string
  body: string
}

/** HMAC-SHA256 over the moment, the method, the path and the body's digest, in hexadecimal. */
export function signatureOf(secret: string, { at, method, path, body }: SignedParts): string {
  const digest = createHash('sha256').update(body).digest('hex')
  return createHmac('sha256', secret).update(`${at}\n${method}\n${path}\n${digest}`).digest('hex')
}

/** Whether a signature is that of the parts, and its moment near enough to `now`. */
export function isSigned(secret: string, parts: SignedParts, signature: string, now: number): boolean {
  if (!(Math.abs(now - parts.at) <= SIGNATURE_WINDOW)) return false
  const expected = Buffer.from(signatureOf(secret, parts))
  const given = Buffer.from(signature)
  return given.length === expected.length && timingSafeEqual(given, expected)
}
