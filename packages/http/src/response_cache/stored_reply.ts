import { matchesWeakly, parseTag, parseTagList } from '../entity_tag.ts'
import type { HeaderMap, Reply } from '../exchange.ts'
import { headerText } from '../header.ts'
import { byteRange } from './byte_range.ts'
import { parseForeignDate } from './expiry_date.ts'
import { currentAge } from './policy.ts'
import type { StoredResponse } from './stored_response.ts'

/** Headers of a 304: what a cache on the way needs, and nothing of the body (RFC 9110, section 15.4.5). */
const OF_A_304 = new Set([
  'cache-control',
  'cdn-cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'last-modified',
  'set-cookie',
  'vary',
  'age',
  'cache-status',
])

/** What a request asks for beside the address. */
export interface AskedFor {
  readonly method: string
  readonly headers: HeaderMap
}

/** The reply that a stored response gives to a request: with its age; 304 or 206 where the request's conditions and range ask for that. */
export function replyFrom(stored: StoredResponse, { method, headers: request }: AskedFor, now: number): Reply {
  const headers: Reply['headers'] = {
    ...stored.headers,
    age: String(Math.floor(currentAge(stored.policy, now) / 1_000)),
  }
  const whole: Reply = { status: stored.status, headers, body: stored.body }
  if (stored.status !== 200) return whole
  if (isUnchanged(stored.headers, request, now)) return notModified(headers)
  // Ranges are defined for GET alone (RFC 9110, section 14.2).
  return method === 'GET' && isRangeWanted(stored, request)
    ? partOf(whole, stored.body, headerText(request, 'range')!)
    : whole
}

/** The 304 that stands for a response with these headers. */
export function notModified(headers: Reply['headers']): Reply {
  return {
    status: 304,
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => OF_A_304.has(name))),
    body: undefined,
  }
}

/** Whether a client has this version already: by If-None-Match, and only without it by If-Modified-Since (RFC 9110, section 13.2.2). */
export function isUnchanged(headers: HeaderMap, request: HeaderMap, now: number): boolean {
  const noneMatch = headerText(request, 'if-none-match')
  if (noneMatch !== undefined) {
    const etag = headerText(headers, 'etag')
    const tag = etag === undefined ? undefined : parseTag(etag)
    const asked = parseTagList(noneMatch)
    return asked === '*' || (tag !== undefined && matchesWeakly(asked, tag))
  }
  const since = momentOf(request, 'if-modified-since', now)
  const modified = momentOf(headers, 'last-modified', now) ?? momentOf(headers, 'date', now)
  return since !== undefined && modified !== undefined && modified <= since
}

function momentOf(headers: HeaderMap, name: string, now: number): number | undefined {
  const text = headerText(headers, name)
  return text === undefined ? undefined : parseForeignDate(text, now)
}

/** A range counts if `If-Range` names this very version (RFC 9110, section 13.1.5). */
function isRangeWanted({ headers }: StoredResponse, request: HeaderMap): boolean {
  if (request['range'] === undefined || headers['content-encoding'] !== undefined) return false
  const condition = headerText(request, 'if-range')
  if (condition === undefined) return true
  if (condition.startsWith('W/')) return false
  return condition === headerText(headers, condition.startsWith('"') ? 'etag' : 'last-modified')
}

function partOf(whole: Reply, body: Buffer, range: string): Reply {
  const part = byteRange(range, body.length)
  if (part === 'whole') return whole
  const headers = { ...whole.headers }
  delete headers['content-length']
  if (part === 'unsatisfiable')
    return { status: 416, headers: { ...headers, 'content-range': `bytes */${body.length}` }, body: undefined }
  headers['content-range'] = `bytes ${part.first}-${part.last}/${body.length}`
  return { status: 206, headers, body: body.subarray(part.first, part.last + 1) }
}
