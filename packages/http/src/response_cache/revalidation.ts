import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'
import { endToEnd } from './storable.ts'
import type { StoredResponse } from './stored_response.ts'

/** Conditions of the client, which are its own affair: the cache asks with conditions of its own, and answers the client's from what it gets. */
export const CONDITIONS = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range']

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

/** What describes the stored bytes stays with them, whatever a 304 says (RFC 9111, section 3.2); and a cookie is for one client alone. */
const NOT_UPDATED = new Set(['content-length', 'content-encoding', 'content-range', 'set-cookie'])

/** The headers of a stored response as a 304 has confirmed it, brought up to date (RFC 9111, section 4.3.4), without its age. */
export function freshenedHeaders(stored: StoredResponse, notModified: HeaderMap): StoredResponse['headers'] {
  const headers: Record<string, string | string[]> = { ...stored.headers }
  for (const [name, value] of Object.entries(endToEnd(notModified))) if (!NOT_UPDATED.has(name)) headers[name] = value
  delete headers['age']
  return headers
}

/** Whether a 304 is about this response: a strong tag in it must be the stored one's (RFC 9111, section 4.3.4). */
export function isConfirmed(stored: StoredResponse, notModified: HeaderMap): boolean {
  const etag = headerText(notModified, 'etag')
  return etag === undefined || etag.startsWith('W/') || etag === headerText(stored.headers, 'etag')
}
