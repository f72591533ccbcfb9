import type { Directives } from './cache_control.ts'

/** A key of a structured dictionary (RFC 9651, section 3.2), in any case: `Max-Age` is sent, too. */
const KEY = /^[a-z*][\w.*-]*$/i

/**
 * Reads a targeted field such as `CDN-Cache-Control`: a structured dictionary (RFC 9213, section 2.1).
 *
 * @returns undefined when it is absent, empty or malformed: then `Cache-Control` holds
 */
export function parseTargeted(header: string | undefined): Directives | undefined {
  if (header === undefined || header.trim() === '') return undefined
  const found = new Map<string, string | true>()
  for (const member of splitMembers(header)) {
    const [key, ...rest] = member.split('=')
    if (!KEY.test(key!)) return undefined
    const text = rest.join('=')
    const value = rest.length === 0 ? true : valueOf(text)
    if (value === undefined) return undefined
    // Of a duration only a whole number is of the right type; another type, even a string of digits, makes the whole field invalid.
    if (/age$|^stale-/i.test(key!) && !/^\d+\s*(?:;|$)/.test(text)) return undefined
    found.set(key!.toLowerCase(), value)
  }
  return found
}

function splitMembers(header: string): string[] {
  return (header.match(/(?:"(?:[^"\\]|\\.)*"|[^",])+/g) ?? []).map((member) => member.trim())
}

/** The item's bare value as text, its parameters left out; undefined when it is of no type. */
function valueOf(text: string): string | true | undefined {
  const item =
    /^(?:"((?:[^"\\]|\\.)*)"|(-?\d{1,15}(?:\.\d{1,3})?)|([a-z*][\w!#$%&'*+.^`|~:/-]*)|\?([01]))\s*(?:;.*)?$/i.exec(text)
  if (!item) return undefined
  if (item[4] !== undefined) return item[4] === '1' ? true : 'false'
  return item[1] ?? item[2] ?? item[3]
}
