import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Readable } from 'node:stream'
import type { HeaderMap } from '../exchange.ts'
import { endToEnd } from '../response_cache/storable.ts'

/** A request for the origin. */
export interface UpstreamRequest {
  method: string
  /** Path and query string as sent. */
  target: string
  headers: HeaderMap
  /** Sent as it comes. */
  body?: Readable
  signal?: AbortSignal
  /** Told of interim responses, such as 103. */
  onInterim?(status: number, headers: HeaderMap): void
}

/** Connections to one origin. */
export interface Upstream {
  /** Resolves when the headers of the final response are there; rejects when the origin cannot be reached, or stays silent. */
  send(request: UpstreamRequest): Promise<IncomingMessage>
  close(): void
}

/** Kept connections at most. */
const MAX_SOCKETS = 256

/** @param origin `http://127.0.0.1:8080`; a path is put before every target @param timeout milliseconds of silence that are borne */
export function createUpstream(origin: URL, timeout: number): Upstream {
  const isTls = origin.protocol === 'https:'
  const agent = isTls
    ? new HttpsAgent({ keepAlive: true, maxSockets: MAX_SOCKETS })
    : new HttpAgent({ keepAlive: true, maxSockets: MAX_SOCKETS })
  const base = origin.pathname.replace(/\/$/, '')

  return {
    send({ method, target, headers, body, signal, onInterim }) {
      return new Promise((resolve, reject) => {
        const request = (isTls ? requestHttps : requestHttp)({
          agent,
          method,
          host: origin.hostname.replace(/^\[|\]$/g, ''),
          port: origin.port || (isTls ? 443 : 80),
          path: base + target,
          headers: endToEnd(headers),
          timeout,
          ...(signal && { signal }),
        })
        request.on('information', ({ statusCode, headers: interim }) => onInterim?.(statusCode, interim as HeaderMap))
        request.on('response', resolve)
        request.on('error', reject)
        request.on('timeout', () => request.destroy(new Error(`the origin was silent for ${timeout} ms`)))
        if (body) body.on('error', (error) => request.destroy(error)).pipe(request)
        else request.end()
      })
    },
    close: () => agent.destroy(),
  }
}
