import { problem } from '../problem.ts'

/** What a key is made of. */
export interface KeyParts {
  scheme: 'http' | 'https'
  /** As the client sent it, with or without a port. */
  host: string
  /** Path and query string as sent. */
  target: string
  /** Only when responses are kept for each user apart. */
  user?: string | undefined
}

const DEFAULT_PORTS = { http: '80', https: '443' }
/** A name or an address, IPv6 in brackets, and perhaps a port: nothing else can lead to a key of its own. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/

/**
 * The host as it is compared: lower case, without the scheme's own port and without a final dot.
 *
 * @returns undefined when it is no host
 */
export function normaliseHost(scheme: 'http' | 'https', host: string): string | undefined {
  const lower = host.trim().toLowerCase()
  if (!HOST.test(lower)) return undefined
  const port = /:(\d+)$/.exec(lower)?.[1]
  const bare = port === undefined ? lower : lower.slice(0, -port.length - 1)
  const name = bare.replace(/\.$/, '')
  return port === undefined || port === DEFAULT_PORTS[scheme] ? name : `${name}:${Number(port)}`
}

/**
 * The primary key: scheme, host and target, and the user's if asked for. Not the method: a HEAD is answered from what a GET brought.
 *
 * The target is not normalised beyond percent-encodings that mean the same for everybody (RFC 3986, section 6.2.2: the case of the digits, unreserved characters). Dot segments,
 * doubled slashes and encoded ones stay as they are: an origin may take them for different resources, and two addresses under one key is how a cache is poisoned.
 */
export function cacheKey({ scheme, host, target, user }: KeyParts): string {
  const name = normaliseHost(scheme, host)
  if (name === undefined) throw problem(400, 'E_BAD_REQUEST', 'The Host header names no host.')
  const path = target.replace(/%[0-9a-f]{2}/gi, sameForEverybody)
  return user === undefined ? `${scheme}://${name}${path}` : `${scheme}://${name}${path} ${JSON.stringify(user)}`
}

function sameForEverybody(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
  return /[\w.~-]/.test(character) && character !== '.' ? character : encoded.toUpperCase()
}

/** Scheme, host and target of a key without a user, for invalidation of what a Location names. */
export function keyOfLocation(
  location: string,
  base: { scheme: 'http' | 'https'; host: string; target: string },
): string | undefined {
  const from = `${base.scheme}://${base.host}${base.target}`
  if (!URL.canParse(location, from)) return undefined
  const url = new URL(location, from)
  const origin = normaliseHost(base.scheme, base.host)
  if (url.protocol !== `${base.scheme}:` || normaliseHost(base.scheme, url.host) !== origin) return undefined
  return cacheKey({ scheme: base.scheme, host: url.host, target: url.pathname + url.search })
}
