import { type ClientRequest, Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { pipeline, type Readable } from 'node:stream'
import type { HeaderMap } from '../exchange.ts'
import { problem } from '../problem.ts'
import { endToEnd } from '../response_cache/storable.ts'

/** A request for the origin. */
export interface UpstreamRequest {
  method: string
  /** Path and query string as sent. */
  target: string
  headers: HeaderMap
  /** Sent as it comes. */
  body?: Readable
  /** Ends it, body of the answer included. */
  signal?: AbortSignal
  /** Told of interim responses, such as 103. */
  onInterim?(status: number, headers: HeaderMap): void
}

/** Connections to one origin. */
export interface Upstream {
  /**
   * Resolves when the headers of the final response are there; rejects when the origin cannot be reached, or stays silent.
   * @throws HttpProblem 400 E_BAD_REQUEST for a target that would lead out of the origin's path
   */
  send(request: UpstreamRequest): Promise<IncomingMessage>
  close(): void
}

/** Kept connections at most. */
const MAX_SOCKETS = 256
/** A segment that means this folder or the one above, however it is encoded, and between whatever may be taken for a slash. */
const DOT_SEGMENT = /(?:\/|\\|%2f|%5c)(?:\.|%2e){1,2}(?:\/|\\|%2f|%5c|;|%3b|$)/i

/** @param origin `http://127.0.0.1:8080`; a path is put before every target @param timeout milliseconds of silence that are borne */
export function createUpstream(origin: URL, timeout: number): Upstream {
  const isTls = origin.protocol === 'https:'
  const settings = { keepAlive: true, maxSockets: MAX_SOCKETS }
  const agent = isTls ? new HttpsAgent(settings) : new HttpAgent(settings)
  const base = origin.pathname.replace(/\/$/, '')

  function open({ method, target, headers, body, signal }: UpstreamRequest): ClientRequest {
    if (base !== '' && DOT_SEGMENT.test(target.split('?')[0]!))
      throw problem(400, 'E_BAD_REQUEST', 'The address holds dot segments.')
    return (isTls ? requestHttps : requestHttp)({
      agent,
      method,
      host: origin.hostname.replace(/^\[|\]$/g, ''),
      port: origin.port || (isTls ? 443 : 80),
      path: base + target,
      headers: framed(headers, body !== undefined),
      timeout,
      ...(signal && { signal }),
    })
  }

  function send(asked: UpstreamRequest, isRepeated = false): Promise<IncomingMessage> {
    const { method, body, onInterim } = asked
    return new Promise((resolve, reject) => {
      const request = open(asked)
      request.on('information', ({ statusCode, headers: interim }) => onInterim?.(statusCode, interim as HeaderMap))
      request.on('response', resolve)
      request.on('error', (error: Error & { code?: string }) => {
        // The origin closed a kept connection just as we took it: nothing of the request has been looked at.
        const isRace = request.reusedSocket && error.code === 'ECONNRESET' && !body && !isRepeated
        if (isRace && (method === 'GET' || method === 'HEAD')) resolve(send(asked, true))
        else reject(error)
      })
      // Also of an answer that switches protocols: nobody asked for that, and Node ends it without an error.
      request.once('close', () => {
        if (!request.errored) reject(new Error('the origin ended the connection'))
      })
      request.on('timeout', () => request.destroy(new Error(`the origin was silent for ${timeout} ms`)))
      // A body that breaks off breaks the request: the origin must not take it for whole.
      if (body) pipeline(body, request, () => {})
      else request.end()
    })
  }
  return { send, close: () => agent.destroy() }
}

/**
 * The headers for the origin, with the framing said anew.
 *
 * Node frames a body by itself only for methods that usually have one: a GET's would follow its head without a length, and the origin would read it as the next request.
 */
function framed(headers: HeaderMap, hasBody: boolean): HeaderMap {
  const { expect: _expect, 'content-length': length, ...kept } = endToEnd(headers)
  if (!hasBody) return kept
  return length === undefined ? { ...kept, 'transfer-encoding': 'chunked' } : { ...kept, 'content-length': length }
}
