import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'
import { initialAge, type ResponseTimes } from './age.ts'
import { type Directives, parseDirectives, secondsOf } from './cache_control.ts'
import { parseForeignDate } from './expiry_date.ts'
import { parseTargeted } from './targeted.ts'

/**
 * What a response says of its own caching, worked out once when it comes in, or when a 304 brings new headers.
 *
 * Durations in milliseconds. Plain data: it is stored with the response.
 */
export interface ResponsePolicy {
  /** How long it is fresh from the moment it was made. */
  readonly lifetime: number
  /** How old it was when it came in. */
  readonly initialAge: number
  /** When it came in, in milliseconds since the Unix epoch. */
  readonly receivedAt: number
  /** Validated before every use, however fresh: `no-cache`. */
  readonly alwaysValidate: boolean
  /** Never served stale: `must-revalidate`, `proxy-revalidate`, `s-maxage`. */
  readonly mustRevalidate: boolean
  readonly staleWhileRevalidate: number
  /** Undefined when it says nothing: the cache's own default holds. */
  readonly staleIfError: number | undefined
  /** May answer requests with `Authorization`, and be kept though such a request brought it (RFC 9111, section 3.5). */
  readonly sharesAuthorized: boolean
  /** By a rule of thumb, because the response gives no lifetime. */
  readonly isHeuristic: boolean
}

/** Statuses that may be cached by a rule of thumb (RFC 9110, section 15.1). */
const HEURISTIC_STATUSES = new Set([200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501])
/** Part of the time since the last change (RFC 9111, section 4.2.2), and a day at most. */
const HEURISTIC_PART = 0.1
const HEURISTIC_MOST = 86_400_000

/** Directives that hold for a shared cache: the targeted field's if there is a valid one (RFC 9213), else `Cache-Control`. */
export function directivesOf(
  headers: HeaderMap,
  targets: readonly string[],
): { directives: Directives; isTargeted: boolean } {
  for (const target of targets) {
    const directives = parseTargeted(headerText(headers, target))
    if (directives) return { directives, isTargeted: true }
  }
  return { directives: parseDirectives(headerText(headers, 'cache-control')), isTargeted: false }
}

/** Reads the policy of a response. @param targets names of targeted fields, the first that is there holds */
export function policyOf(
  status: number,
  headers: HeaderMap,
  times: ResponseTimes,
  targets: readonly string[],
): ResponsePolicy {
  const { directives, isTargeted } = directivesOf(headers, targets)
  const explicit = explicitLifetime(headers, directives, isTargeted, times)
  const seconds = (name: string) => secondsOf(directives, name)
  return {
    lifetime: explicit ?? heuristicLifetime(status, headers, directives, times),
    initialAge: initialAge({ date: headerText(headers, 'date'), age: headerText(headers, 'age') }, times),
    receivedAt: times.receivedAt,
    alwaysValidate: directives.get('no-cache') === true || (directives.size === 0 && isPragmaNoCache(headers)),
    mustRevalidate: ['must-revalidate', 'proxy-revalidate', 's-maxage'].some((name) => directives.has(name)),
    staleWhileRevalidate: (seconds('stale-while-revalidate') ?? 0) * 1_000,
    staleIfError: directives.has('stale-if-error') ? seconds('stale-if-error')! * 1_000 : undefined,
    sharesAuthorized: ['public', 'must-revalidate', 's-maxage'].some((name) => directives.has(name)),
    isHeuristic: explicit === undefined,
  }
}

/** `Pragma: no-cache` of a response has no meaning by the standard; where nothing else is said, its author's is plain. */
function isPragmaNoCache(headers: HeaderMap): boolean {
  return headers['expires'] === undefined && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(headerText(headers, 'pragma') ?? '')
}

/** RFC 9111, section 4.2.1: s-maxage, max-age, Expires; a targeted field leaves no room for Expires. */
function explicitLifetime(
  headers: HeaderMap,
  directives: Directives,
  isTargeted: boolean,
  { receivedAt }: ResponseTimes,
): number | undefined {
  const seconds = secondsOf(directives, 's-maxage') ?? secondsOf(directives, 'max-age')
  if (seconds !== undefined) return seconds * 1_000
  const expires = isTargeted ? undefined : headerText(headers, 'expires')
  if (expires === undefined) return undefined
  const end = parseForeignDate(expires, receivedAt)
  // An invalid date, `0` above all, means that it has expired.
  if (end === undefined) return 0
  const date = headerText(headers, 'date')
  const begin = (date === undefined ? undefined : parseForeignDate(date, receivedAt)) ?? receivedAt
  return Math.max(0, end - begin)
}

function heuristicLifetime(
  status: number,
  headers: HeaderMap,
  directives: Directives,
  { receivedAt }: ResponseTimes,
): number {
  if (!HEURISTIC_STATUSES.has(status) && !directives.has('public')) return 0
  const modified = headerText(headers, 'last-modified')
  const since = modified === undefined ? undefined : parseForeignDate(modified, receivedAt)
  const date = headerText(headers, 'date')
  const made = (date === undefined ? undefined : parseForeignDate(date, receivedAt)) ?? receivedAt
  return since === undefined ? 0 : Math.min(HEURISTIC_MOST, Math.max(0, made - since) * HEURISTIC_PART)
}

/** How old the response is now, in milliseconds (RFC 9111, section 4.2.3). */
export function currentAge(policy: ResponsePolicy, now: number): number {
  return policy.initialAge + Math.max(0, now - policy.receivedAt)
}

/** Milliseconds for which it is still fresh; negative, for which it has been stale. */
export function freshFor(policy: ResponsePolicy, now: number): number {
  return policy.lifetime - currentAge(policy, now)
}
