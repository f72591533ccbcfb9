import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Exchange, Middleware, Reply } from '../src/index.ts'

/** What a test says of a request; the rest is a plain GET. */
export interface ExchangeParts {
  method?: string
  path?: string
  query?: string
  headers?: Record<string, string | string[]>
  address?: string
  protocol?: 'http' | 'https'
  signal?: AbortSignal
}

/** An exchange without a server beneath it. */
export function exchangeOf(parts: ExchangeParts = {}): Exchange {
  const address = parts.address ?? '203.0.113.7'
  return {
    method: parts.method ?? 'GET',
    path: parts.path ?? '/products',
    query: parts.query ?? '',
    headers: parts.headers ?? {},
    remoteAddress: address,
    client: { address, protocol: parts.protocol ?? 'http', host: 'shop.example' },
    context: { requestId: '0190a0b0-0000-7000-8000-000000000000' },
    signal: parts.signal ?? new AbortController().signal,
    replyHeaders: {},
    state: new Map(),
    route: undefined,
  }
}

/** A JSON reply of at least `bytes` bytes. */
export function jsonReply(bytes: number, headers: Reply['headers'] = {}): Reply {
  const body = JSON.stringify(
    Array.from({ length: Math.ceil(bytes / 40) }, (_, id) => ({ id, name: `Product number ${id}`, price: id * 3 })),
  )
  return { status: 200, headers: { 'content-type': 'application/json; charset=utf-8', ...headers }, body }
}

/** Runs one middleware around a reply, as an adapter does: headers of the exchange are added to the reply's. */
export async function passThrough(step: Middleware, exchange: Exchange, reply: Reply): Promise<Reply> {
  const early = await step.before?.(exchange)
  const replied = (await step.after?.(exchange, early ?? reply)) ?? early ?? reply
  return { ...replied, headers: { ...exchange.replyHeaders, ...replied.headers } }
}

/** All bytes of a body. */
export async function bytesOf({ body }: Reply): Promise<Buffer> {
  if (body instanceof Readable) return buffer(body)
  return typeof body === 'string' ? Buffer.from(body) : Buffer.from(body ?? '')
}
