import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'
import { type Directives, parseDirectives, secondsOf } from './cache_control.ts'
import { currentAge, freshFor } from './policy.ts'
import type { StoredResponse, Variants } from './stored_response.ts'
import { selectingValues } from './vary.ts'

/** What may be done with a stored response for one request. */
export type Reuse =
  /** Served as it is. */
  | 'fresh'
  /** Stale and served: the client accepts it, */
  | 'stale-accepted'
  /** or the origin does, while it is refreshed in the background. */
  | 'stale-while-revalidate'
  /** The origin is asked first: it is stale, */
  | 'stale'
  /** or its client or its author wants that. */
  | 'request'

/** Of the variants the newest that the request's headers select (RFC 9111, section 4.1). */
export function selectVariant(variants: Variants, request: HeaderMap): StoredResponse | undefined {
  return variants.find(({ vary, selected }) => vary.length === 0 || selectingValues(vary, request) === selected)
}

/** Decides over a stored response, by its own policy and the request's directives (RFC 9111, sections 4.2 and 5.2.1). */
export function reuseOf({ policy }: StoredResponse, request: HeaderMap, now: number): Reuse {
  const asked = requestDirectives(request)
  const left = freshFor(policy, now)
  if (policy.alwaysValidate) return left > 0 ? 'request' : 'stale'
  if (asked.has('no-cache') || isTooOld(asked, currentAge(policy, now), left)) return 'request'
  if (left > 0) return 'fresh'
  if (policy.mustRevalidate) return 'stale'
  if (asked.has('max-stale') && -left <= mostStale(asked)) return 'stale-accepted'
  return -left < policy.staleWhileRevalidate ? 'stale-while-revalidate' : 'stale'
}

/** `Pragma: no-cache` counts where there is no Cache-Control (RFC 9111, section 5.4). */
export function requestDirectives(request: HeaderMap): Directives {
  const given = headerText(request, 'cache-control')
  if (given !== undefined) return parseDirectives(given)
  const pragma = headerText(request, 'pragma')
  return /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(pragma ?? '') ? new Map([['no-cache', true]]) : new Map()
}

function isTooOld(asked: Directives, age: number, left: number): boolean {
  const maxAge = secondsOf(asked, 'max-age')
  const minFresh = secondsOf(asked, 'min-fresh')
  const accepted = asked.has('max-stale') && left <= 0 && -left <= mostStale(asked)
  if (maxAge !== undefined && age >= maxAge * 1_000 && !(accepted && maxAge > 0)) return true
  return minFresh !== undefined && left < minFresh * 1_000
}

function mostStale(asked: Directives): number {
  return asked.get('max-stale') === true ? Number.POSITIVE_INFINITY : secondsOf(asked, 'max-stale')! * 1_000
}

/** Whether it may stand in for an origin that fails (RFC 5861, section 4; RFC 9111, section 4.2.4). @param byDefault milliseconds for responses that say nothing of it */
export function servesForError(
  { status, policy }: StoredResponse,
  request: HeaderMap,
  now: number,
  byDefault: number,
): boolean {
  if (status >= 500) return false
  if (policy.mustRevalidate || policy.alwaysValidate || requestDirectives(request).has('no-cache')) return false
  return -freshFor(policy, now) < (policy.staleIfError ?? byDefault)
}
