import type { Readable } from 'node:stream'
import type { Reply } from './exchange.ts'

/** Status and headers of a reply; header names in lower case. */
export interface ReplyInit {
  /** @default 200 */
  status?: number
  headers?: Record<string, string | string[]>
}

/** A JSON reply. */
export function json(value: unknown, { status = 200, headers }: ReplyInit = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
    body: JSON.stringify(value),
  }
}

/** A plain-text reply. */
export function text(value: string, { status = 200, headers }: ReplyInit = {}): Reply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body: value }
}

/** A reply without a body, status 204. */
export function noContent(headers: Record<string, string | string[]> = {}): Reply {
  return { status: 204, headers, body: undefined }
}

/**
 * Sends the client elsewhere.
 *
 * @param status 303 by default: see the other address with GET
 */
export function redirect(location: string, status: 301 | 302 | 303 | 307 | 308 = 303): Reply {
  return { status, headers: { location }, body: undefined }
}

/** A reply whose body is sent as it comes; the stream is destroyed when the client goes away. */
export function stream(body: Readable, { status = 200, headers }: ReplyInit = {}): Reply {
  return { status, headers: { 'content-type': 'application/octet-stream', ...headers }, body }
}

/**
 * Tells a reply from a plain value that a handler returned.
 *
 * By its three keys and nothing else, so that a resource with a `status` field of its own stays a value.
 */
export function isReply(value: unknown): value is Reply {
  if (value === null || typeof value !== 'object') return false
  const { status, headers } = value as Partial<Reply>
  return (
    typeof status === 'number' &&
    typeof headers === 'object' &&
    headers !== null &&
    'body' in value &&
    Object.keys(value).length === 3
  )
}
