import { BlockList, isIP, isIPv6 } from 'node:net'
import { optionsError } from '@tailwater/core'
import type { ClientView, HeaderMap } from './exchange.ts'
import { type Hop, parseForwarded } from './forwarded.ts'

/** Which proxies are believed. */
export interface ClientResolverOptions {
  /**
   * Addresses and ranges (`10.0.0.0/8`, `fd00::/8`, `loopback`), or how many proxies stand in front. None are
   * believed by default: the client is the socket's peer.
   */
  trustedProxies?: readonly string[] | number
  /**
   * The header that your proxy sets. Only that one is read: a proxy passes the other on as the client wrote it.
   * @default 'x-forwarded-for'
   */
  forwardedHeader?: 'x-forwarded-for' | 'forwarded'
}

/** What a resolver needs to know of a connection. */
export interface Peer {
  /** The socket's peer. */
  address: string
  encrypted: boolean
}

/** Finds out who is calling behind the proxies. */
export interface ClientResolver {
  resolve(peer: Peer, headers: HeaderMap): ClientView
  /** Whether the socket's peer is a proxy that we believe. */
  trusts(address: string): boolean
}

/** Names for ranges that need no looking up. */
const RANGES: Record<string, readonly string[]> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  uniquelocal: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
}

/**
 * Makes a resolver that believes forwarding headers only from the proxies named.
 *
 * The list of addresses is read from its end, where the nearest proxy wrote, and stops at the first address that is
 * not a trusted proxy: what stands before it could have been written by anybody.
 *
 * @throws E_OPTIONS for an address or range that is none
 */
export function createClientResolver(options: ClientResolverOptions = {}): ClientResolver {
  const trusted = options.trustedProxies ?? []
  const header = options.forwardedHeader ?? 'x-forwarded-for'
  const hops = hopsOf(trusted)
  const list = typeof trusted === 'number' ? undefined : blockListOf(trusted)
  const believes = list ? (address: string) => contains(list, address) : () => hops > 0
  return {
    trusts: (address) => believes(plainAddress(address)),
    resolve(peer, headers) {
      const address = plainAddress(peer.address)
      const direct = viewOf(address, peer.encrypted ? 'https' : 'http', textOf(headers['host']) ?? '')
      // Most requests come without, and asking the list costs more than all that follows.
      if (headers[header === 'forwarded' ? 'forwarded' : 'x-forwarded-for'] === undefined) return direct
      if (!believes(address)) return direct
      const chain = header === 'forwarded' ? parseForwarded(headers['forwarded']) : xForwarded(headers)
      return list ? nearestUntrusted(direct, chain, believes) : nthHop(direct, chain, hops)
    },
  }
}

function nearestUntrusted(direct: ClientView, chain: readonly Hop[], believes: (address: string) => boolean) {
  let view = direct
  for (let i = chain.length - 1; i >= 0 && believes(view.address); i--) {
    const next = follow(view, chain[i]!)
    if (!next) break
    view = next
  }
  return view
}

function nthHop(direct: ClientView, chain: readonly Hop[], hops: number): ClientView {
  let view = direct
  const first = Math.max(0, chain.length - hops)
  for (let i = chain.length - 1; i >= first; i--) {
    const next = follow(view, chain[i]!)
    if (!next) break
    view = next
  }
  return view
}

/** The view one hop further out; undefined when the proxy did not know (`unknown`, `_hidden`). */
function follow(view: ClientView, hop: Hop): ClientView | undefined {
  const address = hop.address === undefined ? undefined : hostAddress(hop.address)
  if (address === undefined) return undefined
  const protocol = hop.protocol === 'https' || hop.protocol === 'http' ? hop.protocol : view.protocol
  return viewOf(address, protocol, hop.host !== undefined && HOST.test(hop.host) ? hop.host : view.host)
}

const HOST = /^(?:[\w.-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i

function viewOf(address: string, protocol: ClientView['protocol'], host: string): ClientView {
  return { address, protocol, host }
}

/** X-Forwarded-Proto and -Host may hold one value per hop, or one alone, set by the nearest proxy for the whole chain. */
function xForwarded(headers: HeaderMap): Hop[] {
  const addresses = listOf(headers['x-forwarded-for'])
  const protocols = listOf(headers['x-forwarded-proto'])
  const hosts = listOf(headers['x-forwarded-host'])
  return addresses.map((address, i) => ({
    address,
    protocol: (protocols.length === addresses.length ? protocols[i] : protocols.at(-1))?.toLowerCase(),
    host: hosts.length === addresses.length ? hosts[i] : hosts.at(-1),
  }))
}

function listOf(header: string | string[] | undefined): string[] {
  const text = textOf(header)
  return text === undefined ? [] : text.split(',').map((part) => part.trim())
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(',') : header
}

/** `1.2.3.4`, `1.2.3.4:5678`, `[::1]:5678` and `::1` without port and brackets; undefined for anything else. */
function hostAddress(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1]
  const address = plainAddress(bracketed ?? (text.includes('.') ? text.replace(/:\d{1,5}$/, '') : text))
  return isIP(address) ? address : undefined
}

/** An IPv4 address that came over a dual-stack socket is told as IPv4. */
function plainAddress(address: string): string {
  const mapped = address.startsWith('::ffff:') ? address.slice(7) : ''
  return mapped.includes('.') ? mapped : address
}

function hopsOf(trusted: readonly string[] | number): number {
  if (typeof trusted !== 'number') return 0
  if (Number.isSafeInteger(trusted) && trusted >= 0) return trusted
  throw optionsError('trustedProxies', 'a list of addresses and ranges, or how many proxies there are', trusted)
}

function blockListOf(trusted: readonly string[]): BlockList {
  const list = new BlockList()
  for (const entry of trusted.flatMap((name) => RANGES[name] ?? [name])) {
    const [address = '', bits, extra] = entry.split('/')
    const family = isIPv6(address) ? 'ipv6' : 'ipv4'
    const longest = family === 'ipv6' ? 128 : 32
    const prefix = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : -1
    if (!isIP(address) || extra !== undefined || prefix < 0 || prefix > longest)
      throw optionsError('trustedProxies', 'addresses and ranges such as 10.0.0.0/8, ::1 or loopback', entry)
    list.addSubnet(address, prefix, family)
  }
  return list
}

function contains(list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}
