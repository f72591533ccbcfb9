import { type Duration, oneOf, optionsError, parseDuration, randomPage, resolveOptions, value } from '@tailwater/core'
import { DEFAULT_DIRECTIVES, type PolicyDirectives, preparePolicy } from './content_security_policy.ts'
import type { Exchange } from './exchange.ts'
import type { Middleware } from './middleware.ts'

/** For how long browsers shall use https alone. */
export interface StrictTransport {
  maxAge: Duration
  includeSubDomains?: boolean
  preload?: boolean
}

/** Options of `securityHeaders`; `false` leaves a header out. */
export interface SecurityHeadersOptions {
  /** Directives that replace the defaults of the same name. @default DEFAULT_DIRECTIVES */
  csp?: PolicyDirectives | false
  /** Sends the policy as `-Report-Only`, to try it. @default 'enforce' */
  cspMode?: 'enforce' | 'report'
  /** Only ever sent over https. @default { maxAge: '180d' } */
  hsts?: StrictTransport | false
  /** @default 'strict-origin-when-cross-origin' */
  referrerPolicy?: string | false
  /** Features that pages may use; a feature not named keeps the browser's default. @default camera, geolocation, microphone, payment and usb for nobody */
  permissions?: Readonly<Record<string, readonly string[]>> | false
  /** Cross-Origin-Opener-Policy. @default 'same-origin' */
  openerPolicy?: 'same-origin' | 'same-origin-allow-popups' | 'unsafe-none' | 'off'
  /** Cross-Origin-Resource-Policy. @default 'same-origin'; an API that other sites embed needs 'cross-origin' */
  resourcePolicy?: 'same-origin' | 'same-site' | 'cross-origin' | 'off'
}

const PERMISSIONS = { camera: [], geolocation: [], microphone: [], payment: [], usb: [] }
const isObjectOrFalse = (given: unknown) => given === false || (typeof given === 'object' && given !== null)
const isTextOrFalse = (given: unknown) =>
  given === false || (typeof given === 'string' && /^[a-z-]+(, ?[a-z-]+)*$/.test(given))

/** Checks the options of `securityHeaders` and fills in their defaults. @throws E_OPTIONS */
export function resolveSecurityHeadersOptions(options: SecurityHeadersOptions = {}) {
  const resolved = resolveOptions('securityHeaders', options, {
    csp: value<PolicyDirectives | false>('an object of directives, or false', isObjectOrFalse, { default: {} }),
    cspMode: oneOf(['enforce', 'report'], { default: 'enforce' }),
    hsts: value<StrictTransport | false>('{ maxAge }, or false', isObjectOrFalse, { default: { maxAge: '180d' } }),
    referrerPolicy: value<string | false>('a policy, or false', isTextOrFalse, {
      default: 'strict-origin-when-cross-origin',
    }),
    permissions: value<Readonly<Record<string, readonly string[]>> | false>(
      'lists of origins by feature, or false',
      isObjectOrFalse,
      {
        default: PERMISSIONS,
      },
    ),
    openerPolicy: oneOf(['same-origin', 'same-origin-allow-popups', 'unsafe-none', 'off'], { default: 'same-origin' }),
    resourcePolicy: oneOf(['same-origin', 'same-site', 'cross-origin', 'off'], { default: 'same-origin' }),
  })
  return {
    ...resolved,
    hsts: resolved.hsts && hstsHeader(resolved.hsts),
    permissions: resolved.permissions && permissionsHeader(resolved.permissions),
  }
}

/** Seconds in a year: what browsers' preload lists ask for. */
const PRELOAD_SECONDS = 31_536_000

function hstsHeader({ maxAge, includeSubDomains = false, preload = false }: StrictTransport): string {
  const seconds = Math.floor(parseDuration(maxAge, 'securityHeaders.hsts.maxAge') / 1_000)
  if (preload && (!includeSubDomains || seconds < PRELOAD_SECONDS))
    throw optionsError('securityHeaders.hsts', "includeSubDomains and a maxAge of '365d' for preload", {
      maxAge,
      includeSubDomains,
    })
  return `max-age=${seconds}${includeSubDomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
}

function permissionsHeader(features: Readonly<Record<string, readonly string[]>>): string {
  const written = Object.entries(features).map(([feature, origins]) => {
    if (!/^[a-z-]+$/.test(feature) || !origins.every(isAllowlisted))
      throw optionsError('securityHeaders.permissions', "lists of 'self', '*' and origins by feature", feature)
    return `${feature}=(${origins.map((origin) => (origin === 'self' || origin === '*' ? origin : `"${origin}"`)).join(' ')})`
  })
  return written.join(', ')
}

const isAllowlisted = (origin: string) =>
  origin === 'self' || origin === '*' || /^https?:\/\/[^\s"\\(),;]+$/.test(origin)

const nonceKey = Symbol('tailwater.http.cspNonce')
const nonceReadKey = Symbol('tailwater.http.cspNonceRead')

/** The nonce of this reply's Content-Security-Policy, for its inline scripts and styles; undefined when the policy has none. */
export function nonceOf(exchange: Exchange): string | undefined {
  const nonce = exchange.state.get(nonceKey) as string | undefined
  if (nonce !== undefined) exchange.state.set(nonceReadKey, true)
  return nonce
}

/** Whether somebody has written the nonce into this reply, which is then good for one client only. */
export function wasNonceRead(exchange: Exchange): boolean {
  return exchange.state.has(nonceReadKey)
}

/**
 * Headers that make browsers stricter: Content-Security-Policy, HSTS, nosniff, framing, referrer, permissions, and isolation
 * from other origins. A handler's own header of the same name wins.
 *
 * @throws E_OPTIONS on a wrong option
 * @example
 * const strict = securityHeaders({ csp: { 'img-src': ["'self'", 'https://images.example'] } })
 */
export function securityHeaders(options?: SecurityHeadersOptions): Middleware {
  const { csp, cspMode, hsts, ...resolved } = resolveSecurityHeadersOptions(options)
  const policy = csp === false ? undefined : preparePolicy(csp)
  const draw = randomPage()
  const policyName = cspMode === 'report' ? 'content-security-policy-report-only' : 'content-security-policy'
  const constant = constantHeaders(resolved, frameOptions(csp))

  return {
    name: 'securityHeaders',
    before(exchange) {
      Object.assign(exchange.replyHeaders, constant)
      if (hsts && exchange.client.protocol === 'https') exchange.replyHeaders['strict-transport-security'] = hsts
      if (!policy) return
      // 128 random bits, as CSP3 asks; a policy without a nonce is the same text each time.
      const nonce = policy.usesNonce ? draw(16).toString('base64') : ''
      if (nonce) exchange.state.set(nonceKey, nonce)
      exchange.replyHeaders[policyName] = policy.write(nonce)
    },
  }
}

type Constant = Pick<
  ReturnType<typeof resolveSecurityHeadersOptions>,
  'referrerPolicy' | 'permissions' | 'openerPolicy' | 'resourcePolicy'
>

function constantHeaders(
  { referrerPolicy, permissions, openerPolicy, resourcePolicy }: Constant,
  framing: string | undefined,
): Record<string, string> {
  return {
    'x-content-type-options': 'nosniff',
    ...(framing && { 'x-frame-options': framing }),
    ...(referrerPolicy && { 'referrer-policy': referrerPolicy }),
    ...(permissions && { 'permissions-policy': permissions }),
    ...(openerPolicy !== 'off' && { 'cross-origin-opener-policy': openerPolicy }),
    ...(resourcePolicy !== 'off' && { 'cross-origin-resource-policy': resourcePolicy }),
  }
}

/** What browsers that do not know frame-ancestors are told; they cannot be told of a list. */
function frameOptions(csp: PolicyDirectives | false): string | undefined {
  const ancestors = (csp || DEFAULT_DIRECTIVES)['frame-ancestors'] ?? DEFAULT_DIRECTIVES['frame-ancestors']
  if (!Array.isArray(ancestors) || ancestors.length !== 1) return undefined
  return ancestors[0] === "'none'" ? 'DENY' : ancestors[0] === "'self'" ? 'SAMEORIGIN' : undefined
}
