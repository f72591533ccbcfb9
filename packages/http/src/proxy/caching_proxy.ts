import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import { type Duration, duration, optional, optionsError, resolveOptions, text, toError, value } from '@tailwater/core'
import type { ClientView, HeaderMap, Reply } from '../exchange.ts'
import { type HostOptions, resolveHostOptions } from '../options.ts'
import { HttpProblem, problem, problemReply } from '../problem.ts'
import { createContext } from '../request_context.ts'
import { originForm } from '../response_cache/cache_key.ts'
import type { Forward } from '../response_cache/opening.ts'
import type { ResponseCacheOptions } from '../response_cache/options.ts'
import { createSharedCache, type SharedCache } from '../response_cache/shared_cache.ts'
import { endToEnd } from '../response_cache/storable.ts'
import { createUpstream } from './upstream.ts'

/** How a caching proxy is made. */
export interface CachingProxyOptions {
  /** `http://127.0.0.1:8080`; a path is put before every target, and targets with dot segments are then refused */
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
  readonly cache: Pick<SharedCache, 'purge' | 'purgeTags' | 'stats'>
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
  const { clients } = host
  const clock = cacheOptions?.clock ?? host.clock
  const cache = createSharedCache({ ...cacheOptions, clock })
  const upstream = createUpstream(origin, timeout)

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = request.method ?? 'GET'
    const { headers } = request
    const client = clients.resolve(
      { address: request.socket.remoteAddress ?? '', encrypted: 'encrypted' in request.socket },
      headers,
    )
    const target = originForm(request.url ?? '/', headers.host ?? '')
    const { protocol: scheme, host: name } = client
    const { reply, forward } = await cache.open({ method, scheme, host: name, target, headers: seenByCache(headers) })
    if (reply) write(response, reply)
    // What runs behind a reply belongs to no client: nobody's leaving ends it.
    if (forward && reply) void ask(forward, { method: 'GET', target, client }).then(discard, () => {})
    else if (forward) write(response, await ask(forward, { method, target, request, response, client }))
  }

  async function ask(forward: Forward, what: Asked): Promise<Reply> {
    const requestedAt = clock.now()
    try {
      const answer = await upstream.send(upstreamRequest(forward, what))
      const { statusCode: status = 502 } = answer
      const headers = endToEnd(answer.headers)
      return await forward.settle({ status, headers, body: answer, requestedAt, receivedAt: clock.now() })
    } catch (error) {
      if (error instanceof HttpProblem) throw error
      const standIn = forward.fail()
      if (standIn) return standIn
      throw problem(502, 'E_BAD_GATEWAY', 'The server behind this one could not be reached.', { cause: toError(error) })
    }
  }

  const proxy = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch((error: unknown) => {
      if (response.headersSent) return response.destroy()
      const told = error instanceof HttpProblem ? error : problem(500, 'E_INTERNAL', 'The server could not answer.')
      const context = createContext(request.headers, false)
      write(response, problemReply(told, { path: request.url ?? '/', context }))
    })
  }
  return Object.assign(proxy, { cache, close: () => upstream.close() })
}

interface Asked {
  method: string
  target: string
  client: ClientView
  /** Absent in the background. */
  request?: IncomingMessage
  response?: ServerResponse
}

/** What is passed on, and with it what a cache must know of the connection to leave a request alone. */
function seenByCache(headers: HeaderMap): HeaderMap {
  const { 'transfer-encoding': framing, upgrade } = headers
  return {
    ...endToEnd(headers),
    ...(framing !== undefined && { 'transfer-encoding': framing }),
    ...(upgrade !== undefined && { upgrade }),
  }
}

function upstreamRequest(
  { headers, isShared, isWrite }: Forward,
  { method, target, request, response, client }: Asked,
) {
  const body = request && hasBody(request) ? request : undefined
  const leaving = new AbortController()
  // The answer to a write says whether what is stored still holds.
  if (!isShared && !isWrite)
    response?.once('close', () => {
      if (!response.writableFinished) leaving.abort()
    })
  const before = headers['x-forwarded-for']
  const forwarded = {
    'x-forwarded-for': [before, client.address].flat().filter(Boolean).join(', '),
    'x-forwarded-proto': client.protocol,
    'x-forwarded-host': client.host,
  }
  return {
    method,
    target,
    headers: { ...headers, ...forwarded },
    signal: leaving.signal,
    ...(body && { body }),
    ...(response && {
      onInterim: (status: number, interim: HeaderMap) => writeInterim(response, status, interim),
    }),
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
}

function writeInterim(response: ServerResponse, status: number, headers: HeaderMap): void {
  if (response.headersSent || response.destroyed) return
  if (status === 102) response.writeProcessing()
  if (status === 103 && headers['link'] !== undefined)
    response.writeEarlyHints(headers as Record<string, string | string[]>)
}

function write(response: ServerResponse, reply: Reply): void {
  const { status, headers, body } = reply
  if (response.destroyed || response.headersSent) {
    discard(reply)
    return
  }
  try {
    response.writeHead(status, headers)
  } catch (error) {
    // An origin's header that Node takes and does not send.
    discard(reply)
    throw error
  }
  if (body === undefined || response.req.method === 'HEAD') {
    discard(reply)
    response.end()
  } else if (!(body instanceof Readable)) response.end(body)
  // A body that breaks off breaks the connection: the client must not take it for whole.
  else pipeline(body, response, () => {})
}

/** Lets go of a body that nobody is sent. What is kept of it is read to its end all the same. */
function discard({ body }: Reply): void {
  if (body instanceof Readable) body.on('error', () => {}).destroy()
}

function resolveProxyOptions(given: CachingProxyOptions) {
  const isObject = (v: unknown) => typeof v === 'object' && v !== null
  const options = resolveOptions('cachingProxy', given, {
    origin: text(),
    cache: optional(value<ResponseCacheOptions>('options of a response cache', isObject)),
    timeout: duration({ default: '30s', min: 1 }),
    host: optional(value<HostOptions>('options of a host', isObject)),
  })
  const origin = URL.canParse(options.origin) ? new URL(options.origin) : undefined
  if (!origin || !/^https?:$/.test(origin.protocol))
    throw optionsError('cachingProxy.origin', "an address such as 'http://127.0.0.1:8080'", options.origin)
  return { ...options, origin, host: resolveHostOptions(options.host) }
}
