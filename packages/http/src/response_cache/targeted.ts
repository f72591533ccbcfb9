import type { Directives } from './cache_control.ts'
import { splitMembers } from './member_list.ts'

/** A key of a structured dictionary (RFC 9651, section 3.2), in any case: `Max-Age` is sent, too. */
const KEY = /^[a-z*][\w.*-]*$/i
/** A bare item as text, in four forms, and perhaps parameters: a string, a number, a token, a boolean. */
const ITEM = /^(?:"((?:[^"\\]|\\.)*)"|(-?\d{1,15}(?:\.\d{1,3})?)|([a-z*][\w!#$%&'*+.^`|~:/-]*)|\?([01]))\s*(?:;.*)?$/i

/**
 * Reads a targeted field such as `CDN-Cache-Control`: a structured dictionary (RFC 9213, section 2.1).
 *
 * @returns undefined when it is absent, empty or malformed: then `Cache-Control` holds
 */
export function parseTargeted(header: string | undefined): Directives | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const { members, isClosed } = splitMembers(header)
  if (!isClosed) return undefined
  const found = new Map<string, string | true>()
  for (const member of members) {
    const equals = member.indexOf('=')
    const key = equals < 0 ? member : member.slice(0, equals)
    if (!KEY.test(key)) return undefined
    const text = equals < 0 ? undefined : member.slice(equals + 1)
    const value = text === undefined ? true : bareValue(text)
    if (value === undefined) return undefined
    // Of a duration only a whole number is of the right type; another type, even a string of digits, makes the whole field invalid.
    if (/age$|^stale-/i.test(key) && !/^\d+\s*(?:;|$)/.test(text ?? '')) return undefined
    // Of a key given twice the last counts, and `?0` says that it does not hold.
    if (value === false) found.delete(key.toLowerCase())
    else found.set(key.toLowerCase(), value)
  }
  return found
}

/** The item's value, its parameters left out; undefined when it is of no type. */
function bareValue(text: string): string | boolean | undefined {
  const item = ITEM.exec(text)
  if (!item) return undefined
  return item[4] === undefined ? (item[1] ?? item[2] ?? item[3]) : item[4] === '1'
}
