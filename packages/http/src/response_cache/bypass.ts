import { headerText } from '../header.ts'
import type { CacheRequest } from './opening.ts'

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY'])

/** Whether a method changes what it is sent to, as far as a cache must suppose. */
export function isUnsafe(method: string): boolean {
  return !SAFE.has(method)
}

/** Why a GET or HEAD goes past the cache, untouched; undefined when it does not. */
export function whyBypassed({ headers }: CacheRequest, cookies: readonly string[] | 'ignore'): string | undefined {
  // A body with GET may change the answer, and is no part of the key: a fat GET poisons those who come after.
  if (headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0') return 'body'
  if (headers['upgrade'] !== undefined) return 'upgrade'
  return cookies !== 'ignore' && namesOf(headerText(headers, 'cookie')).some((name) => !cookies.includes(name))
    ? 'cookie'
    : undefined
}

function namesOf(cookie: string | undefined): string[] {
  return (cookie ?? '')
    .split(/[;,]/)
    .map((pair) => pair.split('=')[0]!.trim())
    .filter(Boolean)
}
