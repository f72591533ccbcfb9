import { optionsError } from '@tailwater/core'
import { problem } from '../problem.ts'
import { isUnsafe, whyBypassed } from './bypass.ts'
import type { ResponseCacheStats } from './cache_counts.ts'
import { cacheKey } from './cache_key.ts'
import type { CacheStatus, Forwarded } from './cache_status.ts'
import type { Flight } from './flights.ts'
import { addressTag, invalidating } from './invalidation.ts'
import { describeKept, type KeptDescription } from './kept_responses.ts'
import type { CacheRequest, Forward, Opening } from './opening.ts'
import type { ResponseCacheOptions } from './options.ts'
import {
  counted,
  createGround,
  type Ground,
  isOfKnownHost,
  lookUp,
  type Origin,
  type Passage,
  served,
  told,
} from './passage.ts'
import { askOrigin } from './question.ts'
import { requestDirectives, reuseOf, selectVariant } from './reuse.ts'
import { withoutConditions } from './revalidation.ts'
import { hasCredentials, mayAnswer } from './storable.ts'
import type { StoredResponse } from './stored_response.ts'
import { selectingValues } from './vary.ts'

/**
 * A shared cache of HTTP responses (RFC 9111), whatever carries the messages.
 *
 * A request is opened: with a reply from the store, or with a question to the origin, whose answer is then settled. Requests for one key wait for
 * the one that is under way. What the origin was asked before an invalidation is not kept after it.
 */
export interface SharedCache {
  /** @throws HttpProblem 421 E_MISDIRECTED for a host that is not ours, 400 E_BAD_REQUEST for none, 504 E_NOT_CACHED for only-if-cached */
  open(request: CacheRequest): Promise<Opening>
  /** Forgets an address, all variants, whoever's they are. @throws TypeError for what is no address */
  purge(url: string): Promise<void>
  /** Forgets what carries one of the tags. @throws E_OPTIONS */
  purgeTags(tags: readonly string[]): Promise<void>
  stats(): ResponseCacheStats
  /** What is kept under a key of the store: `https://shop.example/products/42`. */
  describe(key: string): Promise<KeptDescription | undefined>
}

/** Others' flights that a request boards before it asks for itself. */
const MOST_BOARDINGS = 3

/** @throws E_OPTIONS */
export function createSharedCache(options?: ResponseCacheOptions, origin: Origin = 'server'): SharedCache {
  const ground = createGround(options, origin)
  const { store, cookies } = ground.options
  return {
    async open(request) {
      if (!isOfKnownHost(ground, request)) return passing(ground, request, { fwd: 'bypass', detail: 'host' })
      if (isUnsafe(request.method)) return { reply: undefined, forward: invalidating(ground, request) }
      if (request.method !== 'GET' && request.method !== 'HEAD') return passing(ground, request, { fwd: 'method' })
      const detail = whyBypassed(request, cookies)
      if (detail !== undefined) return passing(ground, request, { fwd: 'bypass', detail })
      const passage = await lookUp(ground, request)
      const { stored } = passage
      return stored && mayAnswer(stored.policy, { ...passage, headers: request.headers })
        ? reuse(ground, passage, stored)
        : ask(ground, passage, missed(passage))
    },
    async purge(url) {
      const { protocol, host, pathname, search } = new URL(url)
      if (!/^https?:$/.test(protocol)) throw new TypeError(`An address of http or https is purged, not '${url}'.`)
      const scheme = protocol === 'https:' ? 'https' : 'http'
      await store.invalidateTags([addressTag(cacheKey({ scheme, host, target: pathname + search }))])
    },
    async purgeTags(tags) {
      // The letters of a text would be purged, and nothing else.
      if (!Array.isArray(tags)) throw optionsError('purgeTags', 'given a list of surrogate keys', tags)
      await store.invalidateTags(tags)
    },
    describe: (key) => describeKept(ground, key),
    stats: () => ({ ...ground.counts, ...(store.content?.() ?? { entries: 0, bytes: 0 }) }),
  }
}

/** A request that the cache has nothing to do with but to tell so. */
function passing(ground: Ground, request: CacheRequest, status: CacheStatus): Opening {
  ground.counts.passed++
  const forward: Forward = {
    headers: request.headers,
    isShared: false,
    isWrite: false,
    settle: async (response) => told(ground, response, { ...status, fwdStatus: response.status }),
    fail: () => undefined,
    abandon() {},
  }
  return { reply: undefined, forward }
}

function missed({ variants, stored }: Passage): Forwarded {
  if (stored) return 'request'
  return variants.length > 0 ? 'vary-miss' : 'uri-miss'
}

function reuse(ground: Ground, passage: Passage, stored: StoredResponse): Opening | Promise<Opening> {
  const how = reuseOf(stored, passage.request.headers, ground.options.clock.now())
  if (how === 'fresh' || how === 'stale-accepted') {
    counted(ground, passage, how === 'fresh' ? 'hit' : 'stale')
    return { reply: served(ground, passage, stored, { hit: true }), forward: undefined }
  }
  if (how !== 'stale-while-revalidate') return ask(ground, passage, how)
  counted(ground, passage, 'stale')
  const reply = served(ground, passage, stored, { hit: true, detail: how })
  const boarded = ground.flights.board(flightKey(passage))
  if (boarded && 'landing' in boarded) return { reply, forward: undefined }
  return { reply, forward: askOrigin(ground, asRefresh(passage), 'stale', boarded?.flight) }
}

/** The same request as one that asks for a whole response, whatever part or version its client wants. */
function asRefresh(passage: Passage): Passage {
  const { request } = passage
  return {
    ...passage,
    isRefresh: true,
    request: { ...request, method: 'GET', headers: withoutConditions(request.headers) },
  }
}

/** Waits for the same question under way, or asks it. */
async function ask(ground: Ground, passage: Passage, fwd: Forwarded): Promise<Opening> {
  const { headers, method } = passage.request
  const directives = requestDirectives(headers)
  const forward = (flight?: Flight) => ({ reply: undefined, forward: askOrigin(ground, passage, fwd, flight) })
  if (directives.has('only-if-cached'))
    throw problem(504, 'E_NOT_CACHED', 'Nothing is stored that could answer this, and the request wants nothing else.')
  if (method !== 'GET' || headers['range'] !== undefined || directives.has('no-store')) return forward()
  let { variants } = passage
  for (let boardings = 0; boardings < MOST_BOARDINGS; boardings++) {
    const boarded = ground.flights.board(flightKey({ ...passage, variants }))
    if (!boarded || 'flight' in boarded) return forward(boarded?.flight)
    const landed = await boarded.landing()
    if (landed === 'late') break
    if (landed === 'nothing') continue
    if (isAnswer(ground, passage, landed, fwd)) {
      counted(ground, passage, 'miss')
      return { reply: served(ground, passage, landed, { fwd, collapsed: true }), forward: undefined }
    }
    // It told at least what the response depends on.
    variants = [landed]
  }
  return forward()
}

/**
 * Who waits for whom: requests that one response will answer, as far as is known. What selects it is known from what is stored; requests with credentials
 * mostly get answers that nobody else may have.
 */
function flightKey({ key, isOwn, variants, request: { headers } }: Passage): string {
  const selected = variants[0] ? selectingValues(variants[0].vary, headers) : ''
  return `${!hasCredentials(headers) || isOwn ? 'open' : 'authorized'} ${key} ${selected}`
}

/** Whether what another request brought answers this one, too. It is as new as it can be, so a wish for a validated response is met. */
function isAnswer(ground: Ground, passage: Passage, landed: StoredResponse, fwd: Forwarded): boolean {
  const { headers } = passage.request
  if (!mayAnswer(landed.policy, { ...passage, headers })) return false
  if (selectVariant([landed], headers) === undefined) return false
  return fwd === 'request' || reuseOf(landed, headers, ground.options.clock.now()) === 'fresh'
}
