import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'
import type { ResponseTimes } from './age.ts'
import { policyOf } from './policy.ts'
import { endToEnd } from './storable.ts'
import type { StoredResponse } from './stored_response.ts'

/** Conditions of the client, which are its own affair: the cache asks with conditions of its own, and answers the client's from what it gets. */
const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range']

/** The client's headers without its conditions and its range, for a whole response that can be kept. */
export function withoutConditions(headers: HeaderMap): HeaderMap {
  const kept = { ...headers }
  for (const name of CONDITIONS) delete kept[name]
  return kept
}

/** Headers that ask whether a stored response still holds (RFC 9111, section 4.3.1), and nothing if it has no validator. */
export function validatorsOf({ headers }: StoredResponse): HeaderMap {
  const etag = headerText(headers, 'etag')
  const modified = headerText(headers, 'last-modified')
  return { ...(etag && { 'if-none-match': etag }), ...(modified && { 'if-modified-since': modified }) }
}

/** What describes the stored bytes stays with them, whatever a 304 says (RFC 9111, section 3.2). */
const OF_THE_BYTES = new Set(['content-length', 'content-encoding', 'content-range'])

/** The stored response as a 304 has confirmed it: its headers brought up to date, and its age begun anew (RFC 9111, section 4.3.4). */
export function freshened(
  stored: StoredResponse,
  notModified: HeaderMap,
  times: ResponseTimes,
  targets: readonly string[],
): StoredResponse {
  const headers = { ...stored.headers }
  const confirmed = endToEnd(notModified)
  for (const [name, value] of Object.entries(confirmed)) if (!OF_THE_BYTES.has(name)) headers[name] = value
  // The answer's age is that of the confirmation, not of the body.
  const { age: _age, ...kept } = headers
  const policy = policyOf(stored.status, { ...kept, age: confirmed['age'] }, times, targets)
  return { ...stored, headers: kept, policy }
}

/** Whether a 304 is about this response: a strong tag in it must be the stored one's (RFC 9111, section 4.3.4). */
export function isConfirmed(stored: StoredResponse, notModified: HeaderMap): boolean {
  const etag = headerText(notModified, 'etag')
  return etag === undefined || etag.startsWith('W/') || etag === headerText(stored.headers, 'etag')
}
