import { Readable } from 'node:stream'
import type { Reply } from '../exchange.ts'
import { headerText } from '../header.ts'
import { problem } from '../problem.ts'
import { isUnsafe, whyBypassed } from './bypass.ts'
import { cacheKey, keyOfLocation, normaliseHost } from './cache_key.ts'
import { type CacheStatus, type Forwarded, formatCacheStatus } from './cache_status.ts'
import { collectBody } from './collected_body.ts'
import { createFlights, type Flight } from './flights.ts'
import type { CacheRequest, Forward, Opening, OriginResponse } from './opening.ts'
import { type ResponseCacheOptions, resolveResponseCacheOptions } from './options.ts'
import { freshFor, policyOf } from './policy.ts'
import type { ResponseMark } from './response_store.ts'
import { type Reuse, requestDirectives, reuseOf, selectVariant, servesForError } from './reuse.ts'
import { freshened, isConfirmed, validatorsOf, withoutConditions } from './revalidation.ts'
import { endToEnd, whyNotStorable } from './storable.ts'
import { isUnchanged, notModified, replyFrom } from './stored_reply.ts'
import { MAX_VARIANTS, type StoredResponse, type Variants } from './stored_response.ts'
import { surrogateKeys } from './surrogate_keys.ts'
import { selectingValues, varyNames } from './vary.ts'

/**
 * A shared cache of HTTP responses (RFC 9111), whatever carries the messages.
 *
 * A request is opened: with a reply from the store, or with a question to the origin, whose answer is then settled. Requests for one key wait for
 * the one that is under way. What the origin is asked before an invalidation is not kept after it.
 */
export interface SharedCache {
  /** @throws HttpProblem 421 E_MISDIRECTED for a host that is not ours, 400 for none, 504 E_NOT_CACHED for only-if-cached */
  open(request: CacheRequest): Promise<Opening>
  /** Forgets an address, all variants, whoever's they are. */
  purge(url: string): Promise<void>
  /** Forgets what carries one of the tags. */
  purgeTags(tags: readonly string[]): Promise<void>
}

/** One request on its way. */
interface Passage {
  readonly request: CacheRequest
  readonly key: string
  /** What is stored and selected by the request's headers. */
  readonly stored: StoredResponse | undefined
  readonly variants: Variants
}

/** Statuses of an origin that is in trouble rather than of a resource (RFC 5861, section 4). */
const IN_TROUBLE = new Set([500, 502, 503, 504])

/** @throws E_OPTIONS */
export function createSharedCache(given?: ResponseCacheOptions): SharedCache {
  const options = resolveResponseCacheOptions(given)
  const { store, clock, targets, name, maxBody } = options
  const hosts = options.hosts && new Set(options.hosts.map((host) => host.toLowerCase()))
  const flights = createFlights(clock, options.patience)

  /** The reply with its `Cache-Status`, and without the surrogate keys, which are between the origin and us. */
  function told(reply: Reply, status: CacheStatus): Reply {
    const headers = { ...reply.headers }
    for (const header of options.tagHeaders) delete headers[header]
    if (options.showStatus)
      headers['cache-status'] = formatCacheStatus(name, status, headerText(headers, 'cache-status'))
    return { ...reply, headers }
  }

  function keyOf({ scheme, host, target, headers }: CacheRequest): string {
    const known = normaliseHost(scheme, host)
    if (hosts && (known === undefined || !hosts.has(known)))
      throw problem(421, 'E_MISDIRECTED', 'This server does not answer for that host.')
    return cacheKey({ scheme, host, target, user: options.user?.({ headers }) })
  }

  async function passageOf(request: CacheRequest): Promise<Passage> {
    const key = keyOf(request)
    const variants = (await store.get(key)) ?? []
    return { request, key, variants, stored: selectVariant(variants, request.headers) }
  }

  function served({ request }: Passage, stored: StoredResponse, status: CacheStatus): Reply {
    const now = clock.now()
    const ttl = Math.round(freshFor(stored.policy, now) / 1_000)
    return told(replyFrom(stored, request.headers, now), { ttl, ...status })
  }

  async function open(request: CacheRequest): Promise<Opening> {
    if (isUnsafe(request.method)) return { reply: undefined, forward: invalidating(request) }
    if (request.method !== 'GET' && request.method !== 'HEAD') return passing(request, { fwd: 'method' })
    const detail = whyBypassed(request, options.cookies)
    if (detail !== undefined) {
      keyOf(request)
      return passing(request, { fwd: 'bypass', detail })
    }
    const passage = await passageOf(request)
    const { stored } = passage
    const isOurs =
      stored !== undefined && (request.headers['authorization'] === undefined || stored.policy.sharesAuthorized)
    return isOurs ? reuse(passage, stored) : ask(passage, missed(passage))
  }

  function missed({ variants, stored }: Passage): Forwarded {
    if (stored) return 'request'
    return variants.length > 0 ? 'vary-miss' : 'uri-miss'
  }

  function reuse(passage: Passage, stored: StoredResponse): Opening | Promise<Opening> {
    const how: Reuse = reuseOf(stored, passage.request.headers, clock.now())
    if (how === 'fresh' || how === 'stale-accepted')
      return { reply: served(passage, stored, { hit: true }), forward: undefined }
    if (how === 'stale-while-revalidate') {
      const reply = served(passage, stored, { hit: true, detail: 'stale-while-revalidate' })
      const boarded = flights.board(passage.key)
      const isUnderWay = boarded !== undefined && 'landing' in boarded
      return { reply, forward: isUnderWay ? undefined : asking(passage, 'stale', boarded?.flight) }
    }
    return ask(passage, how)
  }

  /** Waits for the same question under way, or asks it. */
  async function ask(passage: Passage, fwd: Forwarded): Promise<Opening> {
    const { request, key } = passage
    const directives = requestDirectives(request.headers)
    if (directives.has('only-if-cached'))
      throw problem(
        504,
        'E_NOT_CACHED',
        'Nothing is stored that could answer this, and the request wants nothing else.',
      )
    if (request.method !== 'GET' || request.headers['range'] !== undefined || directives.has('no-store'))
      return { reply: undefined, forward: asking(passage, fwd, undefined) }
    const boarded = flights.board(key)
    if (!boarded || 'flight' in boarded) return { reply: undefined, forward: asking(passage, fwd, boarded?.flight) }
    const landed = await boarded.landing
    if (landed && isAnswer(landed, request, fwd))
      return { reply: served(passage, landed, { fwd, collapsed: true }), forward: undefined }
    return { reply: undefined, forward: asking(passage, fwd, undefined) }
  }

  /** Whether what another request brought answers this one, too. It is as new as it can be, so a wish for a validated response is met. */
  function isAnswer(landed: StoredResponse, { headers }: CacheRequest, fwd: Forwarded): boolean {
    if (headers['authorization'] !== undefined && !landed.policy.sharesAuthorized) return false
    if (selectVariant([landed], headers) === undefined) return false
    return fwd === 'request' || reuseOf(landed, headers, clock.now()) === 'fresh'
  }

  function passing({ headers }: CacheRequest, status: CacheStatus): Opening {
    const forward: Forward = {
      headers,
      settle: async (response) => told(response, { ...status, fwdStatus: response.status }),
      fail: () => undefined,
      abandon() {},
    }
    return { reply: undefined, forward }
  }

  /** A question about one key, and what its answer does to the store. */
  function asking(passage: Passage, fwd: Forwarded, flight: Flight | undefined): Forward {
    const { request, key, stored } = passage
    const isWhole = request.method === 'GET' && request.headers['range'] === undefined
    const mark = store.mark(key)
    const land = (landed?: StoredResponse) => flight?.land(landed)
    const standIn = () => {
      const mayServe = stored && servesForError(stored, request.headers, clock.now(), options.staleIfError)
      return mayServe ? served(passage, stored, { fwd, detail: 'stale-if-error' }) : undefined
    }
    return {
      headers: isWhole
        ? { ...withoutConditions(request.headers), ...(stored && validatorsOf(stored)) }
        : request.headers,
      async settle(response) {
        const status = { fwd, fwdStatus: response.status }
        if (response.status === 304 && isWhole && stored) return confirm(passage, response, await mark, land, status)
        const instead = IN_TROUBLE.has(response.status) ? standIn() : undefined
        if (instead) {
          discard(response)
          land()
          return instead
        }
        return isWhole ? take(passage, response, await mark, land, status) : told(response, status)
      },
      fail() {
        land()
        return standIn()
      },
      abandon: () => land(),
    }
  }

  /** A 304: what is stored holds, with new headers. */
  async function confirm(
    passage: Passage,
    response: OriginResponse,
    mark: ResponseMark,
    land: (landed?: StoredResponse) => void,
    status: CacheStatus,
  ): Promise<Reply> {
    const { key } = passage
    const stored = passage.stored!
    const confirmed = freshened(stored, response.headers, response, targets)
    const isStored = isConfirmed(stored, response.headers) && (await keep(key, confirmed, mark))
    if (!isConfirmed(stored, response.headers)) await store.delete(key)
    land(isStored ? confirmed : undefined)
    return served(passage, confirmed, { ...status, stored: isStored })
  }

  /** A new response: kept when it has come through whole, if it may be. */
  function take(
    passage: Passage,
    response: OriginResponse,
    mark: ResponseMark,
    land: (landed?: StoredResponse) => void,
    status: CacheStatus,
  ): Reply {
    const { request, key } = passage
    const policy = policyOf(response.status, response.headers, response, targets)
    const detail = whyNotStorable(request, response, policy, targets)
    if (detail !== undefined) {
      flights.scatter(key)
      land()
      // What was stored is not what the origin answers any more.
      if (passage.stored && response.status < 500) void store.delete(key)
      return toClient(passage, response, { ...status, detail })
    }
    const headers = endToEnd(response.headers)
    delete headers['age']
    const { body, whole } = collectBody(response.body, maxBody)
    void whole
      .then(async (bytes) => {
        if (!bytes) return land()
        const vary = varyNames(headers) as readonly string[]
        const selected = selectingValues(vary, request.headers)
        const tags = surrogateKeys(headers, options.tagHeaders)
        const stored = {
          status: response.status,
          headers: { ...headers, 'content-length': String(bytes.length) },
          body: bytes,
          policy,
          vary,
          selected,
          tags,
        }
        land((await keep(key, stored, mark)) ? stored : undefined)
      })
      .catch(() => land())
    return toClient(passage, { ...response, body }, { ...status, stored: true })
  }

  /** The origin's answer as this client gets it: 304 if that is what it has already. The body still comes in, if it is collected. */
  function toClient({ request }: Passage, response: OriginResponse, status: CacheStatus): Reply {
    const headers = endToEnd(response.headers)
    if (response.status !== 200 || !isUnchanged(headers, request.headers, clock.now()))
      return told({ status: response.status, headers, body: response.body }, status)
    if (response.body instanceof Readable) response.body.resume()
    return told(notModified(headers), status)
  }

  async function keep(key: string, stored: StoredResponse, since: ResponseMark): Promise<boolean> {
    const now = clock.now()
    // Read again: another variant may have come meanwhile.
    const others = ((await store.get(key)) ?? []).filter((other) => !isSameVariant(other, stored))
    const kept = [stored, ...others].slice(0, MAX_VARIANTS)
    const ttl = Math.max(...kept.map((one) => Math.max(0, freshFor(one.policy, now)) + staleLife(one)))
    const tags = [addressTag(key), ...new Set(kept.flatMap((one) => one.tags))]
    return store.set(key, kept, { ttl, since, tags })
  }

  function staleLife({ policy }: StoredResponse): number {
    return Math.max(options.keepStale, policy.staleWhileRevalidate, policy.staleIfError ?? options.staleIfError)
  }

  /** A request that changes something: what is stored of its address, and of those that its answer names, goes (RFC 9111, section 4.4). */
  function invalidating(request: CacheRequest): Forward {
    const { scheme, host, target, headers } = request
    const key = keyOf(request)
    return {
      headers,
      async settle(response) {
        if (response.status >= 200 && response.status < 400) {
          const named = ['location', 'content-location'].flatMap((header) => {
            const location = headerText(response.headers, header)
            return location === undefined ? [] : [keyOfLocation(location, { scheme, host, target })]
          })
          const own = cacheKey({ scheme, host, target })
          await store.invalidateTags([own, key, ...named.filter((one) => one !== undefined)].map(addressTag))
        }
        return told({ ...response, headers: endToEnd(response.headers) }, { fwd: 'method', fwdStatus: response.status })
      },
      fail: () => undefined,
      abandon() {},
    }
  }

  return {
    open,
    async purge(url) {
      const { protocol, host, pathname, search } = new URL(url)
      const scheme = protocol === 'https:' ? 'https' : 'http'
      await store.invalidateTags([addressTag(cacheKey({ scheme, host, target: pathname + search }))])
    },
    purgeTags: async (tags) => store.invalidateTags(tags),
  }
}

/** Carried by all that is stored under an address, whichever user's. */
function addressTag(key: string): string {
  return `address ${key.split(' ')[0]}`
}

function isSameVariant(one: StoredResponse, other: StoredResponse): boolean {
  return one.selected === other.selected && one.vary.join() === other.vary.join()
}

/** Lets go of a body that is not sent. */
function discard({ body }: Reply): void {
  if (typeof body === 'object' && 'destroy' in body) body.destroy()
}
