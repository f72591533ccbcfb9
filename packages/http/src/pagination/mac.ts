import { hash } from 'node:crypto'

/** Signs a message: 32 bytes. */
export type Mac = (message: Uint8Array) => Buffer

/** Bytes that SHA-256 takes at a time. */
const BLOCK = 64

/**
 * HMAC-SHA-256 (RFC 2104) of one key, for many short messages.
 *
 * Two calls of `crypto.hash` on prepared blocks take a tenth of the time of a `createHmac` with the same key, which makes two objects and
 * reads the key anew for each message; a page of a list is signed three times.
 *
 * @param key at most 64 bytes
 */
export function createMac(key: Uint8Array): Mac {
  const inner = padded(key, 0x36)
  const outer = padded(key, 0x5c)
  return (message) => sha256(outer, sha256(inner, message))
}

function padded(key: Uint8Array, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK, pad)
  for (const [at, byte] of key.entries()) block[at]! ^= byte
  return block
}

function sha256(block: Buffer, message: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([block, message]), 'buffer')
}
