import { show } from '@tailwater/core'
import { cacheError } from './errors.ts'

/** The namespace of keys that belong to no other. */
export const DEFAULT_NAMESPACE = 'default'

/** What a namespace may be called; also the part of a whole key before its first colon. */
export const NAMESPACE_WORD = /^[a-z][a-z0-9-]{0,63}$/

/** Bytes of a key without its namespace: it is sent, compared and kept again and again. */
const MAX_KEY_BYTES = 512

/** @throws E_CACHE_KEY for what is no text, is empty, longer than 512 bytes, has a NUL in it, or half of a surrogate pair, which in UTF-8 would be that of every other half */
export function checkKey(key: unknown): string {
  // A character has three bytes at most, so most keys need not be measured.
  if (
    typeof key === 'string' &&
    key.length > 0 &&
    key.length <= MAX_KEY_BYTES &&
    (key.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(key) <= MAX_KEY_BYTES) &&
    !key.includes('\0') &&
    key.isWellFormed()
  )
    return key
  throw cacheError(
    'E_CACHE_KEY',
    `a key must be well-formed text of 1 to ${MAX_KEY_BYTES} bytes without NUL, got ${show(key)}`,
  )
}

/**
 * How keys of a namespace are written.
 *
 * A whole key is `product:42`: what the far tier, messages and people see. The near tier keeps keys of the default namespace as they are, because to
 * build a text and hash it costs more than all the rest of a hit; the others stand behind a NUL there, which no key may have.
 */
export interface KeyForm {
  /** `product:` */
  readonly whole: string
  /** Empty for the default namespace, and for those with a tier of their own. */
  readonly near: string
}

/** The forms of a namespace's keys. */
export function keyForm(namespace: string, isAlone: boolean): KeyForm {
  const whole = `${namespace}:`
  return { whole, near: isAlone || namespace === DEFAULT_NAMESPACE ? '' : `\0${whole}` }
}

/** The namespace of a whole key. */
export function namespaceOf(wholeKey: string): string {
  return wholeKey.slice(0, Math.max(0, wholeKey.indexOf(':')))
}

/** The whole key of one in the near tier that namespaces share. */
export function wholeKeyOf(nearKey: string): string {
  return nearKey.startsWith('\0') ? nearKey.slice(1) : `${DEFAULT_NAMESPACE}:${nearKey}`
}

/** A test of whole keys by a pattern in which `*` stands for anything. Linear in the key, whatever the pattern. */
export function matcherOf(pattern: string): (wholeKey: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (wholeKey) => wholeKey === first
  return (wholeKey) => {
    if (!wholeKey.startsWith(first)) return false
    let at = first.length
    for (const part of rest) {
      const found = wholeKey.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return wholeKey.length - last.length >= at && wholeKey.endsWith(last)
  }
}
