import { currentContext, type IdSource, newId, type RequestContext } from '@tailwater/core'
import type { HeaderMap } from './exchange.ts'
import { formatTraceparent, newSpanId, parseTraceparent } from './traceparent.ts'

/** Whose `x-request-id` is believed: nobody's, a trusted proxy's, or everybody's. */
export type RequestIdTrust = 'never' | 'proxies' | 'always'

/** Printable, no spaces, no quotes: safe in a header, a log line and a URL. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/
/** Longest tracestate passed on, in characters (W3C Trace Context, section 3.3.1.5: at least 512 should be). */
const MAX_TRACESTATE = 512

/**
 * The context of one incoming request.
 *
 * A trace that comes with the request is continued with a span of our own; without one a trace begins, whose id is
 * the request's when that is a UUID of ours, so that one id finds both.
 *
 * @param believeId whether the caller may choose the request id
 */
export function createContext(headers: HeaderMap, believeId: boolean, ids: IdSource = newId): RequestContext {
  const given = believeId ? headers['x-request-id'] : undefined
  const believed = typeof given === 'string' && REQUEST_ID.test(given)
  const id = believed ? given : ids()
  const parent = parseTraceparent(single(headers['traceparent']))
  if (!parent) {
    const traceId = (believed ? ids() : id).replaceAll('-', '')
    return { requestId: id, traceparent: formatTraceparent(traceId, newSpanId(), '00') }
  }
  const traceparent = formatTraceparent(parent.traceId, newSpanId(), parent.flags)
  const tracestate = stateOf(headers['tracestate'])
  return tracestate === undefined ? { requestId: id, traceparent } : { requestId: id, traceparent, tracestate }
}

function single(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined
}

function stateOf(header: string | string[] | undefined): string | undefined {
  const state = Array.isArray(header) ? header.join(',') : header
  return state !== undefined && state.length <= MAX_TRACESTATE && /^[\x20-\x7e]+$/.test(state) ? state : undefined
}

/**
 * Headers for a request that we make on behalf of the running one, so that it is found under the same id.
 *
 * @param context the running one by default; nothing is sent outside of one
 *
 * @example
 * await fetch(url, { headers: { ...outgoingHeaders(), accept: 'application/json' } })
 */
export function outgoingHeaders(context: RequestContext | undefined = currentContext()): Record<string, string> {
  if (!context) return {}
  const headers: Record<string, string> = { 'x-request-id': context.requestId }
  if (context.traceparent) headers['traceparent'] = context.traceparent
  if (context.tracestate) headers['tracestate'] = context.tracestate
  return headers
}
