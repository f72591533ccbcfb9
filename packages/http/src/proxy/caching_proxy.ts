import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { type Duration, duration, optional, optionsError, resolveOptions, text, toError, value } from '@tailwater/core'
import type { HeaderMap, Reply } from '../exchange.ts'
import { type HostOptions, resolveHostOptions } from '../options.ts'
import { HttpProblem, problem, problemReply } from '../problem.ts'
import { createContext } from '../request_context.ts'
import type { Forward } from '../response_cache/opening.ts'
import type { ResponseCacheOptions } from '../response_cache/options.ts'
import { createSharedCache, type SharedCache } from '../response_cache/shared_cache.ts'
import { createUpstream } from './upstream.ts'

/** How a caching proxy is made. */
export interface CachingProxyOptions {
  /** `http://127.0.0.1:8080` */
  origin: string
  cache?: ResponseCacheOptions
  /** How long the origin may stay silent. @default '30s' */
  timeout?: Duration
  /** Whose forwarding headers are believed. */
  host?: HostOptions
}

/** A reverse proxy with a cache, as a listener for `http.createServer` or a handler of Express. */
export interface CachingProxy {
  (request: IncomingMessage, response: ServerResponse): void
  readonly cache: Pick<SharedCache, 'purge' | 'purgeTags'>
  /** Closes the connections to the origin. */
  close(): void
}

/**
 * Puts a cache of responses before an origin.
 *
 * @throws E_OPTIONS
 * @example
 * const proxy = createCachingProxy({ origin: 'http://127.0.0.1:8080', cache: { hosts: ['shop.example'] } })
 * http.createServer(proxy).listen(80)
 */
export function createCachingProxy(given: CachingProxyOptions): CachingProxy {
  const { origin, cache: cacheOptions, timeout, host } = resolveProxyOptions(given)
  const { clients, clock } = host
  const cache = createSharedCache({ clock, ...cacheOptions })
  const upstream = createUpstream(origin, timeout)

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET'
    const headers = request.headers as HeaderMap
    const client = clients.resolve(
      { address: request.socket.remoteAddress ?? '', encrypted: 'encrypted' in request.socket },
      headers,
    )
    const target = originForm(request.url ?? '/')
    const { reply, forward } = await cache.open({ method, scheme: client.protocol, host: client.host, target, headers })
    if (reply) write(response, reply)
    // What runs behind a reply belongs to no client: nobody's leaving ends it.
    if (forward && reply) void ask(forward, { method: 'GET', target }).then(drain, () => {})
    else if (forward) write(response, await ask(forward, { method, target, request, response, client }))
  }

  async function ask(forward: Forward, what: Asked): Promise<Reply> {
    const requestedAt = clock.now()
    try {
      const answer = await upstream.send(upstreamRequest(forward, what))
      const { statusCode: status = 502, headers } = answer
      return await forward.settle({
        status,
        headers: headers as Reply['headers'],
        body: answer,
        requestedAt,
        receivedAt: clock.now(),
      })
    } catch (error) {
      const standIn = forward.fail()
      if (standIn) return standIn
      throw problem(502, 'E_BAD_GATEWAY', 'The server behind this one could not be reached.', { cause: toError(error) })
    }
  }

  const proxy = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy()
      const told = error instanceof HttpProblem ? error : problem(500, 'E_INTERNAL', 'The server could not answer.')
      write(
        response,
        problemReply(told, { path: request.url ?? '/', context: createContext(request.headers as HeaderMap, false) }),
      )
    })
  }
  return Object.assign(proxy, { cache, close: () => upstream.close() })
}

interface Asked {
  method: string
  target: string
  request?: IncomingMessage
  response?: ServerResponse
  client?: { address: string; protocol: string; host: string }
}

function upstreamRequest({ headers }: Forward, { method, target, request, response, client }: Asked) {
  const hasBody =
    request && (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined)
  const forwarded = client && {
    'x-forwarded-for': [headers['x-forwarded-for'], client.address].flat().filter(Boolean).join(', '),
    'x-forwarded-proto': client.protocol,
    'x-forwarded-host': client.host,
  }
  return {
    method,
    target,
    headers: { ...headers, ...forwarded },
    ...(hasBody && { body: request }),
    ...(response && { onInterim: (status: number, interim: HeaderMap) => writeInterim(response, status, interim) }),
  }
}

function writeInterim(response: ServerResponse, status: number, headers: HeaderMap): void {
  if (response.headersSent) return
  if (status === 102) response.writeProcessing()
  if (status === 103 && headers['link'] !== undefined)
    response.writeEarlyHints(headers as Record<string, string | string[]>)
}

function write(response: ServerResponse, { status, headers, body }: Reply): void {
  if (response.destroyed) return void drain({ status, headers, body })
  response.writeHead(status, headers as never)
  if (body === undefined || response.req.method === 'HEAD') {
    drain({ status, headers, body })
    response.end()
  } else if (typeof body === 'string' || body instanceof Uint8Array) response.end(body)
  // A body that breaks off breaks the connection: the client must not take it for whole.
  else pipeline(body, response, () => {})
}

/** Reads a body that nobody is sent to its end, so that it can be kept. */
function drain({ body }: Reply): void {
  if (typeof body === 'object' && 'resume' in body) body.on('error', () => {}).resume()
}

/** A request in absolute form, as proxies get them, names its target within the address (RFC 9112, section 3.2.2); the host that counts is the Host header's, which we check. */
function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const match = /^https?:\/\/[^/?#]*([^#]*)/i.exec(url)
  const target = match ? match[1]! : '/'
  return target.startsWith('/') ? target : `/${target}`
}

function resolveProxyOptions(given: CachingProxyOptions) {
  const options = resolveOptions('cachingProxy', given, {
    origin: text(),
    cache: optional(
      value<ResponseCacheOptions>('options of a response cache', (v) => typeof v === 'object' && v !== null),
    ),
    timeout: duration({ default: '30s', min: 1 }),
    host: optional(value<HostOptions>('options of a host', (v) => typeof v === 'object' && v !== null)),
  })
  const origin = URL.canParse(options.origin) ? new URL(options.origin) : undefined
  if (!origin || !/^https?:$/.test(origin.protocol))
    throw optionsError('cachingProxy.origin', "an address such as 'http://127.0.0.1:8080'", options.origin)
  return { ...options, origin, host: resolveHostOptions(options.host) }
}
