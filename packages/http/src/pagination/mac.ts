import { hash } from 'node:crypto'

/** Signs a message: 32 bytes. */
export type Mac = (message: Uint8Array) => Buffer

/** Bytes that SHA-256 takes at a time. */
const BLOCK = 64

/** Bytes of a digest. */
const DIGEST = 32

/**
 * HMAC-SHA-256 (RFC 2104) of one key, for many short messages.
 *
 * Two calls of `crypto.hash` on prepared blocks take a tenth of the time of a `createHmac` with the same key, which makes two objects and
 * reads the key anew for each message; a page of a list is signed three times. Digests come as Latin-1 texts, one letter a byte: a text is
 * made in a third of the time of a Buffer.
 *
 * @param key at most 64 bytes
 */
export function createMac(key: Uint8Array): Mac {
  const inner = padded(key, 0x36)
  // Written over at each call, which ends before the next begins.
  const outer = Buffer.concat([padded(key, 0x5c), Buffer.alloc(DIGEST)])
  return (message) => {
    outer.write(sha256(Buffer.concat([inner, message])), BLOCK, 'latin1')
    return Buffer.from(sha256(outer), 'latin1')
  }
}

function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK, pad)
  for (const [at, byte] of key.entries()) block[at]! ^= byte
  return block
}

function sha256(message: Buffer): string {
  return hash('sha256', message, 'binary')
}
