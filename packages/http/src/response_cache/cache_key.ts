import { hash } from 'node:crypto'
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

const DEFAULT_PORTS = { http: 80, https: 443 }
/** A name or an address, IPv6 in brackets, and perhaps a port: nothing else can lead to a key of its own. */
const HOST = /^(?:[a-z0-9](?:[a-z0-9._-]*[a-z0-9_])?\.?|\[[0-9a-f:.]+\])(?::\d{1,5})?$/
const LONGEST_HOST = 261
/** Longer targets are kept as their hash: a client must not decide what a key weighs. */
const LONGEST_TARGET = 512

/**
 * The host as it is compared: lower case, without the scheme's own port and without a final dot.
 *
 * @returns undefined when it is no host
 */
export function normaliseHost(scheme: 'http' | 'https', host: string): string | undefined {
  const lower = host.trim().toLowerCase()
  if (lower.length > LONGEST_HOST || !HOST.test(lower)) return undefined
  const digits = /:(\d+)$/.exec(lower)?.[1]
  const name = (digits === undefined ? lower : lower.slice(0, -digits.length - 1)).replace(/\.$/, '')
  return digits === undefined || Number(digits) === DEFAULT_PORTS[scheme] ? name : `${name}:${Number(digits)}`
}

/**
 * The primary key: scheme, host and target, and the user's if asked for. Not the method: a HEAD is answered from what a GET brought.
 *
 * The target is not normalised beyond percent-encodings that mean the same for everybody (RFC 3986, section 6.2.2: the case of the digits, unreserved characters). Dot segments,
 * doubled slashes and encoded ones stay as they are: an origin may take them for different resources, and two addresses under one key is how a cache is poisoned.
 *
 * @throws HttpProblem 400 E_BAD_REQUEST for what is no host or no target
 */
export function cacheKey({ scheme, host, target, user }: KeyParts): string {
  const name = normaliseHost(scheme, host)
  if (name === undefined) throw problem(400, 'E_BAD_REQUEST', 'The Host header names no host.')
  if (!target.startsWith('/')) throw problem(400, 'E_BAD_REQUEST', 'The request names no path.')
  const path = bounded(target.replace(/%[0-9a-f]{2}/gi, sameForEverybody))
  // No target has a space in it.
  return user === undefined
    ? `${scheme}://${name}${path}`
    : `${scheme}://${name}${path} ${hash('sha256', user, 'base64url')}`
}

/** No path begins like the hash of one. */
function bounded(target: string): string {
  return target.length <= LONGEST_TARGET ? target : `#${hash('sha256', target, 'base64url')}`
}

function sameForEverybody(encoded: string): string {
  const character = String.fromCharCode(Number.parseInt(encoded.slice(1), 16))
  return /[\w~-]/.test(character) ? character : encoded.toUpperCase()
}

/** The part of a key that is the address's, whoever's the response is. */
export function addressOf(key: string): string {
  const end = key.indexOf(' ')
  return end < 0 ? key : key.slice(0, end)
}

/**
 * The address that a `Location` or `Content-Location` names.
 *
 * @returns undefined when it is none, or of another host: an origin speaks for itself alone (RFC 9111, section 4.4)
 */
export function keyOfLocation(location: string, base: KeyParts): string | undefined {
  const from = `${base.scheme}://${base.host}${base.target}`
  if (!URL.canParse(location, from)) return undefined
  const url = new URL(location, from)
  const origin = normaliseHost(base.scheme, base.host)
  if (url.protocol !== `${base.scheme}:` || normaliseHost(base.scheme, url.host) !== origin) return undefined
  return cacheKey({ scheme: base.scheme, host: url.host, target: url.pathname + url.search })
}

/**
 * The target of a request in origin form: a request in absolute form, as proxies get them, names it within the address (RFC 9112, section 3.2.2).
 *
 * @throws HttpProblem 400 E_BAD_REQUEST when the address is of another host than the Host header, of which the one might be looked up and the other asked
 */
export function originForm(target: string, host: string): string {
  if (target.startsWith('/')) return target
  const match = /^(https?):\/\/([^/?#]*)([^#]*)/i.exec(target)
  const scheme = match?.[1]?.toLowerCase() === 'https' ? 'https' : 'http'
  if (!match || normaliseHost(scheme, match[2]!) !== normaliseHost(scheme, host))
    throw problem(400, 'E_BAD_REQUEST', 'The address is of another host than the Host header.')
  return match[3]!.startsWith('/') ? match[3]! : `/${match[3]!}`
}
