import type { Exchange, HeaderMap, Reply } from '../exchange.ts'
import { headerText } from '../header.ts'
import type { Middleware } from '../middleware.ts'
import { wasNonceRead } from '../security_headers.ts'
import { originForm } from './cache_key.ts'
import { type ResponseCacheMiddlewareOptions, resolveMiddlewareOptions } from './middleware_options.ts'
import type { CacheRequest, Forward } from './opening.ts'
import { createRefreshes } from './refreshes.ts'
import { CONDITIONS } from './revalidation.ts'
import { createSharedCache, type SharedCache } from './shared_cache.ts'

/** A response cache as middleware, and what makes it forget. */
export type ResponseCache = Middleware & Pick<SharedCache, 'purge' | 'purgeTags' | 'stats'>

/** An exchange whose handler's reply is awaited. */
interface Pending {
  readonly forward: Forward
  readonly requestedAt: number
  /** The client's conditions, kept from the handler, which is to give the whole. */
  readonly conditions: HeaderMap
}

const pendingKey = Symbol('tailwater.http.responseCache')

/**
 * Keeps the replies of handlers as their `Cache-Control` allows a shared cache to (RFC 9111), and answers from them without running the handler.
 *
 * Put it last in the list: limits then run before it, and what `conditional` and `compression` see is what is stored, whole and uncoded. What other middleware add to a reply is
 * not kept. Never kept: streams, failures, replies with `Set-Cookie`, pages that hold a nonce, and what a request with an unknown cookie brought; what one with credentials
 * brought only if the reply says that it may be shared (RFC 9111, section 3.5).
 *
 * @throws E_OPTIONS
 * @example
 * const cache = responseCache({ hosts: ['shop.example'] })
 * const middleware = [compression(), conditional(), cache]
 * await cache.purgeTags(['product-42'])
 */
export function responseCache(given: ResponseCacheMiddlewareOptions = {}): ResponseCache {
  const { refresh, omit, clock, cacheOptions } = resolveMiddlewareOptions(given)
  const cache = createSharedCache(cacheOptions, 'handlers')
  const refreshes = refresh && createRefreshes(refresh)

  function begin(exchange: Exchange, forward: Forward): undefined {
    const conditions = forward.isShared ? takeOff(exchange.headers) : {}
    exchange.state.set(pendingKey, { forward, requestedAt: clock.now(), conditions } satisfies Pending)
  }

  async function open(exchange: Exchange): Promise<Reply | undefined> {
    const request = requestOf(exchange)
    const { reply, forward } = await cache.open(request)
    if (reply && forward && refreshes) refreshes.start(forward, request, exchange.remoteAddress)
    // Nobody refreshes in the background: this request does it, while the others get the stale reply. Not a HEAD, whose handler may give no body.
    else if (forward && reply && exchange.method !== 'GET') forward.abandon()
    else if (forward) return begin(exchange, forward)
    return reply
  }

  return {
    name: 'responseCache',
    before(exchange) {
      const claimed = refreshes?.claim(exchange.headers)
      // Not looked up either: a refresh that came too late would set off the next one.
      if (claimed === 'unknown') return undefined
      return claimed ? begin(exchange, claimed) : open(exchange)
    },
    async after(exchange, reply) {
      const pending = endPending(exchange)
      if (!pending) return reply
      if (exchange.signal.aborted && !pending.forward.isWrite) {
        // A handler that has heard of it may have cut its answer short.
        pending.forward.abandon()
        return reply
      }
      const { own, others } = split(reply.headers, omit)
      const times = { requestedAt: pending.requestedAt, receivedAt: clock.now() }
      const keepOut = whyOnlyForOne(exchange, reply)
      const settled = await pending.forward.settle({ ...reply, headers: others, ...times, ...(keepOut && { keepOut }) })
      return { ...settled, headers: { ...own, ...settled.headers } }
    },
    finish(exchange) {
      // A client may leave before its write is done: forgotten is what it changes when it has changed.
      if (!pendingOf(exchange)?.forward.isWrite) endPending(exchange)?.forward.abandon()
    },
    purge: cache.purge,
    purgeTags: cache.purgeTags,
    stats: cache.stats,
  }
}

function requestOf({ method, client, path, query, headers }: Exchange): CacheRequest {
  const target = query === '' ? path : `${path}?${query}`
  const origin = target.startsWith('http') ? originForm(target, headerText(headers, 'host') ?? '') : target
  return { method, scheme: client.protocol, host: client.host, target: origin, headers }
}

function pendingOf(exchange: Exchange): Pending | undefined {
  return exchange.state.get(pendingKey) as Pending | undefined
}

/** The exchange's pending question, which is one no more, its client's conditions given back. */
function endPending(exchange: Exchange): Pending | undefined {
  const pending = pendingOf(exchange)
  if (!pending) return undefined
  exchange.state.delete(pendingKey)
  Object.assign(exchange.headers, pending.conditions)
  return pending
}

function takeOff(headers: HeaderMap): HeaderMap {
  const taken: HeaderMap = {}
  for (const name of CONDITIONS) {
    if (headers[name] === undefined) continue
    taken[name] = headers[name]
    delete headers[name]
  }
  return taken
}

/** What belongs to this one reply, and what may be kept. */
function split(headers: Reply['headers'], omit: ReadonlySet<string>) {
  const own: Reply['headers'] = {}
  const others: Reply['headers'] = {}
  for (const [name, value] of Object.entries(headers)) (omit.has(name) ? own : others)[name] = value
  return { own, others }
}

/** A nonce that is sent twice protects nobody. */
function whyOnlyForOne(exchange: Exchange, { headers }: Reply): string | undefined {
  const policies = ['content-security-policy', 'content-security-policy-report-only']
  const isNonced = policies.some((name) => headerText(headers, name)?.includes("'nonce-"))
  return isNonced || wasNonceRead(exchange) ? 'nonce' : undefined
}
