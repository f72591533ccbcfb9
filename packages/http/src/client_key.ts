import { hash } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { Exchange } from './exchange.ts'
import { headerText } from './header.ts'

/** Tells whose budget a request draws on; undefined when it draws on none of this kind. */
export type ClientKey = (exchange: Exchange) => string | undefined

/** Keys longer than this are hashed: what a client sends must not decide how much memory it costs. */
const LONGEST_KEY = 64

/** One budget for each client address; an IPv6 client is its /64, which one household or server has whole. */
export const byAddress: ClientKey = (exchange) => `a:${addressGroup(exchange.client.address)}`

/**
 * One budget for each value of a header, such as an API key; requests without it draw on none.
 * Use it behind authentication only: invented values would each have a budget of their own.
 */
export function byHeader(name: string): ClientKey {
  const lower = name.toLowerCase()
  return (exchange) => {
    const given = headerText(exchange.headers, lower)
    return given === undefined ? undefined : `h:${hash('sha256', given, 'base64url')}`
  }
}

/** The first key that applies. */
export function firstOf(...keys: readonly ClientKey[]): ClientKey {
  return (exchange) => {
    for (const key of keys) {
      const found = key(exchange)
      if (found !== undefined) return found
    }
    return undefined
  }
}

/** The key itself if it is short, or else a hash of it. */
export function boundedKey(key: string): string {
  return key.length <= LONGEST_KEY ? key : `#${hash('sha256', key, 'base64url')}`
}

/**
 * The address by which a client is counted: IPv4 as it is, also when mapped into IPv6; of IPv6 the first
 * 64 bits, because a client may use any of the 2^64 addresses of its network.
 */
export function addressGroup(address: string): string {
  const bare = address.replace(/%.*$/, '').replace(/^\[|\]$/g, '')
  if (!isIPv6(bare)) return bare
  const groups = expand(bare)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) return [groups[6]! >> 8, groups[6]! & 0xff, groups[7]! >> 8, groups[7]! & 0xff].join('.')
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`
}

/** The eight 16-bit groups of a valid IPv6 address. */
function expand(address: string): number[] {
  const withoutDots = address.replace(
    /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
    (_, a, b, c, d) => `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`,
  )
  const [head = '', tail] = withoutDots.split('::')
  const before = head ? head.split(':') : []
  const after = tail ? tail.split(':') : []
  const zeros = tail === undefined ? [] : Array<string>(8 - before.length - after.length).fill('0')
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
}
