import { hash } from 'node:crypto'
import { isUuid } from '@tailwater/core'

/** Hexadecimal digits of a UUID's last group. */
const TAIL = 12

/**
 * Ids of the jobs of one subscription, by the ids of their messages: the same message published again is the same job, and is stored once while that is there.
 *
 * Of a UUID the last 48 bits are mixed with those of the subscription's name, so that ids of version 7 stay in their order; of any other text, all bits are of a hash.
 */
export function jobIdsOf(subscription: string): (messageId: string) => string {
  const salt = Number.parseInt(hash('sha1', subscription).slice(0, TAIL), 16)
  const [high, low] = [Math.floor(salt / 0x1000000), salt % 0x1000000]
  return (messageId) => {
    if (!isUuid(messageId)) return uuidOf(hash('sha1', `${subscription}\n${messageId}`))
    const at = messageId.length - TAIL
    const first = Number.parseInt(messageId.slice(at, at + 6), 16) ^ high
    const last = Number.parseInt(messageId.slice(at + 6), 16) ^ low
    return messageId.slice(0, at).toLowerCase() + sixDigits(first) + sixDigits(last)
  }
}

const sixDigits = (number: number) => number.toString(16).padStart(6, '0')

/** A UUID of version 8 (RFC 9562, section 5.8). */
function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
