import { parseWeighted } from '../accept.ts'
import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'

/** Request headers that select the response, in lower case and sorted; `*` when more than headers does. */
export function varyNames(headers: HeaderMap): readonly string[] | '*' {
  const names = (headerText(headers, 'vary') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter(Boolean)
  return names.includes('*') ? '*' : [...new Set(names)].sort()
}

/** Lists of weighted preferences, whose order and spelling mean nothing. */
const PREFERENCES = new Set(['accept', 'accept-language', 'accept-encoding', 'accept-charset'])

/**
 * A request's values of the selecting headers, as one text; equal texts select the same response (RFC 9111, section 4.1).
 *
 * Lists of preferences are compared as sets of weighted values, other headers without needless white space.
 */
export function selectingValues(names: readonly string[], request: HeaderMap): string {
  return JSON.stringify(names.map((name) => normalised(name, headerText(request, name))))
}

function normalised(name: string, value: string | undefined): string | null {
  if (value === undefined) return null
  if (PREFERENCES.has(name))
    return parseWeighted(value)
      .map(({ value: word, weight }) => `${word};q=${weight}`)
      .sort()
      .join(',')
  return value
    .trim()
    .replace(/\s*,\s*/g, ',')
    .replace(/\s+/g, ' ')
}
