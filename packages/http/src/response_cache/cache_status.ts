import type { BareItem } from '../structured_field.ts'

/** Why a request was passed on (RFC 9211, section 2.2). */
export type Forwarded = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial'

/** What the cache did with one request. */
export interface CacheStatus {
  /** Served without asking the origin. */
  hit?: boolean
  fwd?: Forwarded
  /** The origin's answer to what was passed on. */
  fwdStatus?: number
  /** Seconds of freshness left; negative when stale. */
  ttl?: number
  stored?: boolean
  /** Waited for another request's answer. */
  collapsed?: boolean
  detail?: string
}

/** Writes the header, after those of caches nearer to the origin (RFC 9211, section 2). */
export function formatCacheStatus(name: string, status: CacheStatus, nearer?: string): string {
  const parameters: [string, BareItem | undefined][] = [
    ['hit', status.hit],
    ['fwd', status.fwd],
    ['fwd-status', status.fwdStatus],
    ['ttl', status.ttl],
    ['stored', status.stored],
    ['collapsed', status.collapsed],
    ['detail', status.detail],
  ]
  const own = parameters.map(([key, value]) => parameter(key, value)).join('')
  return nearer ? `${nearer}, ${name}${own}` : name + own
}

function parameter(key: string, value: BareItem | undefined): string {
  if (value === undefined || value === false) return ''
  return value === true ? `; ${key}` : `; ${key}=${value}`
}
