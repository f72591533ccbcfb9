import { type Clock, optionsError, systemClock } from '@tailwater/core'
import type { ResponseCacheOptions } from './options.ts'
import type { Refresh } from './refreshes.ts'

/** What the middleware is told. */
export interface ResponseCacheMiddlewareOptions extends ResponseCacheOptions {
  /**
   * Runs the application again for a response that `stale-while-revalidate` lets be served once more. Without it the first request that finds one stale waits for the
   * handler, and the others get the stale reply meanwhile.
   */
  refresh?: Refresh
  /**
   * Headers of a handler's reply that belong to the one request and are not kept, in lower case.
   * @default x-request-id, x-correlation-id, traceparent, tracestate, server-timing, x-response-time
   */
  omit?: readonly string[]
}

const OF_ONE_REQUEST = [
  'x-request-id',
  'x-correlation-id',
  'traceparent',
  'tracestate',
  'server-timing',
  'x-response-time',
]

/** Takes the middleware's own options apart from the cache's. @throws E_OPTIONS */
export function resolveMiddlewareOptions({ refresh, omit = OF_ONE_REQUEST, ...rest }: ResponseCacheMiddlewareOptions) {
  if (refresh !== undefined && typeof refresh !== 'function')
    throw optionsError('responseCache.refresh', 'a function', refresh)
  if (!Array.isArray(omit) || !omit.every((name) => typeof name === 'string'))
    throw optionsError('responseCache.omit', 'a list of names', omit)
  const clock: Clock = rest.clock ?? systemClock
  return { refresh, omit: new Set(omit.map((name) => name.toLowerCase())), clock, cacheOptions: rest }
}
