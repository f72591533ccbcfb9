import { parseForwarded } from '../forwarded.ts'
import { headerText } from '../header.ts'
import { normaliseHost } from './cache_key.ts'
import type { CacheRequest } from './opening.ts'

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'])

/** Whether a method changes what it is sent to, as far as a cache must suppose. */
export function isUnsafe(method: string): boolean {
  return !SAFE.has(method)
}

/** Headers by which frameworks let a request be another one than it looks like. */
const REWRITING = [
  'x-original-url',
  'x-rewrite-url',
  'x-http-method',
  'x-http-method-override',
  'x-method-override',
  'x-forwarded-prefix',
  'x-original-host',
  'x-host',
]

/** Why a GET or HEAD goes past the cache, untouched; undefined when it does not. */
export function whyBypassed(request: CacheRequest, cookies: readonly string[] | 'ignore'): string | undefined {
  const { headers } = request
  // A body with GET may change the answer, and is no part of the key: a fat GET poisons those who come after.
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') return 'body'
  if (headers['upgrade'] !== undefined) return 'upgrade'
  if (REWRITING.some((name) => headers[name] !== undefined) || isDisguised(request)) return 'rewritten'
  const unknown = cookies !== 'ignore' && namesOf(headerText(headers, 'cookie')).some((name) => !cookies.includes(name))
  return unknown ? 'cookie' : undefined
}

/** By which applications learn of the client's scheme. */
const SCHEME_HEADERS = ['x-forwarded-proto', 'x-forwarded-scheme', 'x-url-scheme']

/** Whether forwarding headers tell of another host or scheme than the one that the key is made of: an application that believes them answers for that one. */
function isDisguised({ headers, scheme, host }: CacheRequest): boolean {
  const forwarded = parseForwarded(headers['forwarded'])
  const hosts = [listOf(headerText(headers, 'x-forwarded-host')), forwarded.map((hop) => hop.host)].flat()
  const schemes = [
    ...SCHEME_HEADERS.map((name) => listOf(headerText(headers, name))),
    forwarded.map((hop) => hop.protocol),
  ].flat()
  const own = normaliseHost(scheme, host)
  const isOther = (told: string | undefined) => told !== undefined && normaliseHost(scheme, told) !== own
  return hosts.some(isOther) || schemes.some((told) => told !== undefined && told.toLowerCase() !== scheme)
}

function listOf(header: string | undefined): string[] {
  return header === undefined ? [] : header.split(',').map((part) => part.trim())
}

function namesOf(cookie: string | undefined): string[] {
  return (cookie ?? '')
    .split(/[;,]/)
    .map((pair) => pair.split('=')[0]!.trim())
    .filter(Boolean)
}
