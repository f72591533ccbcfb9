import { boolean, type Duration, duration, optionsError, resolveOptions, value } from '@tailwater/core'
import type { Exchange, Reply } from './exchange.ts'
import { addVary, headerText } from './header.ts'
import type { Middleware } from './middleware.ts'

/** Which origins may read replies: all, some by their exact text, or those that a function accepts. */
export type AllowedOrigins =
  | '*'
  | string
  | readonly string[]
  | ((origin: string, exchange: Exchange) => boolean | Promise<boolean>)

/** Options of `cors`. */
export interface CorsOptions {
  /** Exact origins (`https://shop.example`), scheme and port included. There is no default: who may read is to be said. */
  origins: AllowedOrigins
  /** Lets browsers send cookies and client certificates; not together with `'*'`. @default false */
  credentials?: boolean
  /** @default ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] */
  methods?: readonly string[]
  /** Request headers beyond the harmless ones. @default ['authorization', 'content-type', 'if-match', 'if-none-match', 'idempotency-key', 'traceparent', 'x-request-id'] */
  allowedHeaders?: readonly string[]
  /** Reply headers that scripts may read. @default ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id */
  exposedHeaders?: readonly string[]
  /** How long a browser may keep the answer to a preflight; Chrome caps it at 2 h. @default '10m' */
  maxAge?: Duration
  /** Lets public sites reach a server on a private network (Private Network Access). @default false */
  privateNetwork?: boolean
}

const TOKENS = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const areTokens = (given: unknown) =>
  Array.isArray(given) && given.every((member) => typeof member === 'string' && TOKENS.test(member))
const isOrigins = (given: unknown) =>
  typeof given === 'string' ||
  typeof given === 'function' ||
  (Array.isArray(given) && given.every((member) => typeof member === 'string'))

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']
const REQUEST_HEADERS = [
  'authorization',
  'content-type',
  'if-match',
  'if-none-match',
  'idempotency-key',
  'traceparent',
  'x-request-id',
]
const REPLY_HEADERS = ['ETag', 'Link', 'Location', 'RateLimit', 'RateLimit-Policy', 'Retry-After', 'X-Request-Id']

/** Checks the options of `cors` and fills in their defaults. @throws E_OPTIONS */
export function resolveCorsOptions(options: CorsOptions) {
  const tokens = (fallback: readonly string[]) =>
    value<readonly string[]>('a list of header or method names', areTokens, { default: fallback })
  const resolved = resolveOptions('cors', options, {
    origins: value<AllowedOrigins>("'*', an origin, a list of origins, or a function", isOrigins),
    credentials: boolean({ default: false }),
    methods: tokens(METHODS),
    allowedHeaders: tokens(REQUEST_HEADERS),
    exposedHeaders: tokens(REPLY_HEADERS),
    maxAge: duration({ default: '10m' }),
    privateNetwork: boolean({ default: false }),
  })
  const { origins } = resolved
  const listed = typeof origins === 'function' || origins === '*' ? [] : [origins].flat()
  for (const origin of listed) checkOrigin(origin)
  if (origins === '*' && resolved.credentials)
    throw optionsError(
      'cors.origins',
      "a list when credentials are allowed: '*' would hand every site the user's session",
      origins,
    )
  return resolved
}

/** `https://shop.example/` and `shop.example` never equal what a browser sends; better refused now than debugged later. */
function checkOrigin(origin: string): void {
  if (origin === 'null') return
  const url = URL.canParse(origin) ? new URL(origin) : undefined
  if (url?.origin !== origin)
    throw optionsError('cors.origins', "exact origins such as 'https://shop.example', without a path", origin)
}

/**
 * Cross-Origin Resource Sharing, as browsers ask for it (WHATWG Fetch, section 3.3).
 *
 * Answers preflights itself; gives other replies, errors too, the headers that let the page read them. An origin that is
 * not allowed gets none of them, and the browser keeps the reply from its page: CORS protects users of browsers, and
 * authenticates nobody.
 *
 * @throws E_OPTIONS on a wrong option
 * @example
 * const shared = cors({ origins: ['https://shop.example'], credentials: true })
 */
export function cors(options: CorsOptions): Middleware {
  const resolved = resolveCorsOptions(options)
  const isAllowed = originTest(resolved.origins)
  // One answer for all needs no Vary, and stays one entry in shared caches.
  const isConstant = resolved.origins === '*'

  return {
    name: 'cors',
    before(exchange) {
      if (!isConstant) addVary(exchange.replyHeaders, 'Origin')
      const origin = headerText(exchange.headers, 'origin')
      if (origin === undefined) return undefined
      const allowed = isAllowed(origin, exchange)
      const answer = (isAllowed: boolean) =>
        answerOrigin(exchange, isAllowed ? (isConstant ? '*' : origin) : undefined, resolved)
      return typeof allowed === 'boolean' ? answer(allowed) : allowed.then(answer)
    },
  }
}

type Resolved = ReturnType<typeof resolveCorsOptions>

function originTest(origins: AllowedOrigins): (origin: string, exchange: Exchange) => boolean | Promise<boolean> {
  if (typeof origins === 'function') return origins
  if (origins === '*') return () => true
  const listed = new Set([origins].flat())
  return (origin) => listed.has(origin)
}

/** @param origin what the browser is told, or undefined when the origin is not allowed */
function answerOrigin(exchange: Exchange, origin: string | undefined, resolved: Resolved): Reply | undefined {
  const { replyHeaders, method, headers } = exchange
  if (origin !== undefined) {
    replyHeaders['access-control-allow-origin'] = origin
    if (resolved.credentials) replyHeaders['access-control-allow-credentials'] = 'true'
  }
  if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined)
    return preflight(exchange, origin !== undefined, resolved)
  if (origin !== undefined && resolved.exposedHeaders.length > 0)
    replyHeaders['access-control-expose-headers'] = resolved.exposedHeaders.join(', ')
  return undefined
}

function preflight(exchange: Exchange, allowed: boolean, resolved: Resolved): Reply {
  const headers: Reply['headers'] = {}
  addVary(exchange.replyHeaders, 'Access-Control-Request-Method', 'Access-Control-Request-Headers')
  if (allowed) {
    headers['access-control-allow-methods'] = resolved.methods.join(', ')
    headers['access-control-allow-headers'] = resolved.allowedHeaders.join(', ')
    headers['access-control-max-age'] = String(Math.floor(resolved.maxAge / 1_000))
    if (resolved.privateNetwork && exchange.headers['access-control-request-private-network'] === 'true')
      headers['access-control-allow-private-network'] = 'true'
  }
  return { status: 204, headers, body: undefined }
}
