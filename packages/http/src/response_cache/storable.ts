import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'
import { parseDirectives } from './cache_control.ts'
import { directivesOf, type ResponsePolicy } from './policy.ts'
import { varyNames } from './vary.ts'

/** The request, as far as it decides. */
export interface StoringRequest {
  readonly method: string
  readonly headers: HeaderMap
  /** Whether what is stored is for the user of this request alone: then it is what RFC 9111 calls a private cache. */
  readonly isOwn: boolean
}

/** Final statuses whose meaning we know, so that `must-understand` and a body cut short do no harm. */
const UNDERSTOOD = new Set([
  200, 203, 204, 300, 301, 302, 303, 307, 308, 400, 401, 403, 404, 405, 406, 409, 410, 414, 415, 421, 422, 429, 451,
  500, 501, 502, 503, 504,
])

/**
 * Why a response may not be stored in a shared cache, or undefined when it may (RFC 9111, section 3).
 *
 * The reason goes into `Cache-Status` as a detail.
 */
export function whyNotStorable(
  request: StoringRequest,
  response: { status: number; headers: HeaderMap },
  policy: ResponsePolicy,
  targets: readonly string[],
): string | undefined {
  const { directives } = directivesOf(response.headers, targets)
  const asked = parseDirectives(headerText(request.headers, 'cache-control'))
  if (request.method !== 'GET') return 'method'
  // 206 is a part, and 304 belongs to a response that is stored already.
  if (response.status < 200 || response.status === 206 || response.status === 304) return 'status'
  const isGuess = policy.isHeuristic && !directives.has('public')
  if (!UNDERSTOOD.has(response.status) && (isGuess || directives.has('must-understand'))) return 'status'
  if (asked.has('no-store')) return 'request-no-store'
  if (directives.has('no-store') && !(directives.has('must-understand') && UNDERSTOOD.has(response.status)))
    return 'no-store'
  if (directives.has('private') && !request.isOwn) return 'private'
  if (response.headers['set-cookie'] !== undefined) return 'set-cookie'
  if (varyNames(response.headers) === '*') return 'vary'
  if (!mayAnswer(policy, request)) return 'authorization'
  return policy.lifetime > 0 || hasValidator(response.headers) ? undefined : 'no-lifetime'
}

/** Reasons that lie with the request: they say nothing of what others are answered. */
const OF_THE_REQUEST = new Set(['method', 'request-no-store', 'authorization'])

/** Whether a reason of `whyNotStorable` holds for everybody who asks for this address. */
export function isLasting(reason: string): boolean {
  return !OF_THE_REQUEST.has(reason)
}

/** Whether a response of this policy may answer this request, and be kept though it brought it (RFC 9111, section 3.5). */
export function mayAnswer(
  policy: ResponsePolicy,
  { headers, isOwn }: Pick<StoringRequest, 'headers' | 'isOwn'>,
): boolean {
  return isOwn || !hasCredentials(headers) || policy.sharesAuthorized
}

/** Headers that say who is asking: `Authorization`, and those in its place that many APIs have. */
const CREDENTIALS = ['authorization', 'x-api-key', 'x-auth-token', 'x-access-token']

/** Whether a request says who is asking. */
export function hasCredentials(headers: HeaderMap): boolean {
  return CREDENTIALS.some((name) => headers[name] !== undefined)
}

function hasValidator(headers: HeaderMap): boolean {
  return headers['etag'] !== undefined || headers['last-modified'] !== undefined
}

/** Fields about one connection (RFC 9110, section 7.6.1), which are neither stored nor passed on. */
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
])

/** Fields that the whole way is to see: a `Connection` that names them would take from us what we have judged the message by. */
const NEVER_NAMED = new Set([
  'authorization',
  'cache-control',
  'content-length',
  'cookie',
  'forwarded',
  'host',
  'pragma',
  'vary',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
])

/** A message's headers without those of its connection, those that `Connection` names included. */
export function endToEnd(headers: HeaderMap): Record<string, string | string[]> {
  const named = new Set((headerText(headers, 'connection') ?? '').split(',').map((name) => name.trim().toLowerCase()))
  const kept: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined && !HOP_BY_HOP.has(name) && (NEVER_NAMED.has(name) || !named.has(name))) kept[name] = value
  return kept
}
