import type { Reply } from '../exchange.ts'
import { headerText } from '../header.ts'
import { problem } from '../problem.ts'
import { type Access, type CacheCounts, countAccess, noCounts } from './cache_counts.ts'
import { cacheKey, normaliseHost } from './cache_key.ts'
import { type CacheStatus, formatCacheStatus } from './cache_status.ts'
import { createFlights, type Flights } from './flights.ts'
import type { CacheRequest } from './opening.ts'
import { type ResolvedResponseCacheOptions, type ResponseCacheOptions, resolveResponseCacheOptions } from './options.ts'
import { freshFor } from './policy.ts'
import type { ResponseMark } from './response_store.ts'
import { selectVariant } from './reuse.ts'
import { replyFrom } from './stored_reply.ts'
import type { StoredResponse, Variants } from './stored_response.ts'

/** Who answers behind the cache: a server that understands conditions, or handlers of this process, which are run and not asked. */
export type Origin = 'server' | 'handlers'

/** What the steps of a request through one cache share. */
export interface Ground {
  readonly options: ResolvedResponseCacheOptions
  readonly origin: Origin
  readonly flights: Flights
  readonly counts: CacheCounts
}

/** One request on its way. */
export interface Passage {
  readonly request: CacheRequest
  /** Whether the key is one user's own. */
  readonly isOwn: boolean
  readonly key: string
  /** What is stored, and selected by the request's headers. */
  readonly stored: StoredResponse | undefined
  readonly variants: Variants
  readonly mark: ResponseMark
  /** Nobody waits for it: what it was made for has been answered. */
  readonly isRefresh?: true
}

/** @throws E_OPTIONS */
export function createGround(given: ResponseCacheOptions | undefined, origin: Origin): Ground {
  const options = resolveResponseCacheOptions(given)
  return { options, origin, flights: createFlights(options.clock, options.patience), counts: noCounts() }
}

/**
 * Whether a request names a host. Handlers of this process answer clients that name none, as HTTP/1.0 has it; a proxy has to know whom it asks.
 *
 * @throws HttpProblem 421 E_MISDIRECTED for a host that is not ours, 400 E_BAD_REQUEST for none
 */
export function isOfKnownHost({ options: { hosts }, origin }: Ground, { scheme, host }: CacheRequest): boolean {
  const known = normaliseHost(scheme, host)
  if (hosts && !hosts.some((ours) => normaliseHost(scheme, ours) === known))
    throw problem(421, 'E_MISDIRECTED', 'This server does not answer for that host.')
  if (known === undefined && origin === 'server') throw problem(400, 'E_BAD_REQUEST', 'The Host header names no host.')
  return known !== undefined
}

/** Looks up what is stored for a request. */
export async function lookUp(ground: Ground, request: CacheRequest): Promise<Passage> {
  const { options } = ground
  const user = options.user?.(request)
  const key = cacheKey({ ...request, user })
  const { variants, mark } = await options.store.read(key)
  const stored = selectVariant(variants, request.headers)
  return { request, isOwn: user !== undefined, key, variants, mark, stored }
}

/** Counts how a request was answered; a refresh in the background is none. */
export function counted({ counts, options }: Ground, { isRefresh }: Passage, how: Access): void {
  if (!isRefresh) countAccess(counts, options.store, how)
}

/** The reply with its `Cache-Status`, and without the surrogate keys, which are between the origin and us. */
export function told({ options }: Ground, reply: Reply, status: CacheStatus): Reply {
  const headers = { ...reply.headers }
  for (const header of options.tagHeaders) delete headers[header]
  if (options.showStatus)
    headers['cache-status'] = formatCacheStatus(options.name, status, headerText(headers, 'cache-status'))
  return { ...reply, headers }
}

/** The reply that a stored response gives. */
export function served(ground: Ground, { request }: Passage, stored: StoredResponse, status: CacheStatus): Reply {
  const now = ground.options.clock.now()
  const ttl = Math.round(freshFor(stored.policy, now) / 1_000)
  return told(ground, replyFrom(stored, request, now), { ttl, ...status })
}
