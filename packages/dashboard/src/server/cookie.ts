import type { Exchange, HeaderMap } from '@tailwater/http'

/** Name of the session's cookie. The prefix makes browsers refuse it from anybody but this very host, over https. */
export function sessionCookieName(exchange: Exchange): string {
  return exchange.client.protocol === 'https' ? '__Host-tailwater' : 'tailwater_session'
}

/** The value of the session's cookie, or undefined. */
export function sessionCookie(exchange: Exchange): string | undefined {
  return readCookie(exchange.headers, sessionCookieName(exchange))
}

/**
 * A `Set-Cookie` line for the session; without a value, one that takes the cookie away.
 *
 * `Strict`: nobody arrives from another site with a session, and the page itself, which is public, loads without one.
 */
export function setSessionCookie(exchange: Exchange, value: string | undefined, maxAgeMs: number): string {
  const secure = exchange.client.protocol === 'https' ? '; Secure' : ''
  const age = value === undefined ? 0 : Math.floor(maxAgeMs / 1_000)
  return `${sessionCookieName(exchange)}=${value ?? ''}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Strict${secure}`
}

function readCookie(headers: HeaderMap, name: string): string | undefined {
  const header = headers['cookie']
  const text = Array.isArray(header) ? header.join('; ') : header
  for (const pair of text?.split(';') ?? []) {
    const [key, value] = pair.split('=', 2)
    if (key?.trim() === name && value) return value.trim()
  }
  return undefined
}
