import { hash } from 'node:crypto'
import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'

/** Selecting headers at most; what depends on more is as good as unique. */
const MOST_NAMES = 32
/** Longer values are kept as their hash: a client must not decide what an entry weighs. */
const LONGEST_SELECTION = 256

/** Request headers that select the response, in lower case and sorted; `*` when more than headers does, or more of them than can be followed. */
export function varyNames(headers: HeaderMap): readonly string[] | '*' {
  const names = new Set(listOf((headerText(headers, 'vary') ?? '').toLowerCase()))
  return names.has('*') || names.size > MOST_NAMES ? '*' : [...names].sort()
}

/** Lists of weighted preferences, whose order and letter case mean nothing. */
const PREFERENCES = new Set(['accept-language', 'accept-encoding', 'accept-charset'])

/**
 * A request's values of the selecting headers, as one text; equal texts select the same response (RFC 9111, section 4.1).
 *
 * White space at commas says nothing in any list. `Accept` keeps its order and case: parameters of media types are any text.
 */
export function selectingValues(names: readonly string[], request: HeaderMap): string {
  const text = JSON.stringify(
    names.map((name) => (Object.hasOwn(request, name) ? normalised(name, headerText(request, name)) : null)),
  )
  return text.length <= LONGEST_SELECTION ? text : `#${hash('sha256', text, 'base64url')}`
}

function normalised(name: string, value: string | undefined): string | null {
  if (value === undefined) return null
  if (!PREFERENCES.has(name)) return listOf(value).join(',')
  const members = listOf(value.toLowerCase()).map((member) => member.split(';').map((part) => part.trim()))
  return members
    .map((parts) => parts.filter((part) => part !== 'q=1').join(';'))
    .sort()
    .join(',')
}

function listOf(text: string): string[] {
  return text
    .split(',')
    .map((member) => member.trim())
    .filter(Boolean)
}
