import { timingSafeEqual } from 'node:crypto'
import { type Exchange, problem } from '@tailwater/http'
import { csrfToken } from './accounts/session.ts'

/** Header in which a page proves that it can read our replies. */
export const CSRF_HEADER = 'x-tailwater-csrf'

/**
 * Refuses requests that a browser says come from another site.
 *
 * Browsers send `Sec-Fetch-Site` only over https and to localhost, and `Origin` with every POST. What sends neither is
 * no browser, and has no cookies that could be abused. Hosts are compared, not schemes: behind a proxy that ends TLS ours may be unknown.
 *
 * @throws HttpProblem 403 E_CSRF
 */
export function refuseCrossSite({ headers, client }: Exchange): void {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') throw crossSite()
  const origin = headers['origin']
  if (site === undefined && origin !== undefined && hostOf(String(origin)) !== client.host.toLowerCase())
    throw crossSite()
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}

/**
 * Refuses a change by a session whose page did not send the session's own CSRF token.
 *
 * @throws HttpProblem 403 E_CSRF
 */
export function requireCsrfToken({ headers }: Exchange, sessionId: string): void {
  const expected = Buffer.from(csrfToken(sessionId))
  const given = Buffer.from(String(headers[CSRF_HEADER] ?? ''))
  if (given.length === expected.length && timingSafeEqual(given, expected)) return
  throw problem(
    403,
    'E_CSRF',
    `A session's changes need its token in the header ${CSRF_HEADER}: it comes with auth/me.`,
  )
}

function crossSite() {
  return problem(403, 'E_CSRF', 'The request comes from another site.')
}
