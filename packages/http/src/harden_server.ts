import type { Server } from 'node:http'
import { type Duration, duration, integer, resolveOptions } from '@tailwater/core'

/** Options of `hardenServer`. */
export interface HardenServerOptions {
  /** From the first byte of a request to its last header: ends clients that send a byte a minute (slowloris). @default '10s' */
  headersTimeout?: Duration
  /** From the first byte of a request to the last of its body. Uploads over slow lines need more. @default '60s' */
  requestTimeout?: Duration
  /**
   * How long an idle connection is kept. It must exceed the idle time of the load balancer in front (nginx and AWS ALB: 60 s),
   * or that one now and then sends a request into a connection that is being closed. @default '65s'
   */
  keepAliveTimeout?: Duration
  /** Header lines that are read; more are dropped by Node in silence, so `requestLimits` asks for fewer. @default 200 */
  maxHeadersCount?: number
  /** Requests answered on one connection, so that long-lived clients spread over processes; 0 is without limit. @default 10000 */
  maxRequestsPerSocket?: number
  /** Open connections; more are refused at once. 0 is without limit. @default 0 */
  maxConnections?: number
}

/** Checks the options of `hardenServer` and fills in their defaults. @throws E_OPTIONS */
export function resolveHardenServerOptions(options: HardenServerOptions = {}) {
  return resolveOptions('hardenServer', options, {
    headersTimeout: duration({ min: 1, default: '10s' }),
    requestTimeout: duration({ min: 1, default: '60s' }),
    keepAliveTimeout: duration({ min: 1, default: '65s' }),
    maxHeadersCount: integer({ min: 1, default: 200 }),
    maxRequestsPerSocket: integer({ min: 0, default: 10_000 }),
    maxConnections: integer({ min: 0, default: 0 }),
  })
}

/**
 * Gives a Node server bounds on time and connections, against clients that hold them open.
 *
 * Node looks for requests over their time every `connectionsCheckingInterval` (30 s unless the server was created with
 * another), so an offender may last that much longer.
 *
 * @returns the same server
 * @throws E_OPTIONS on a wrong option
 */
export function hardenServer<S extends Server>(server: S, options?: HardenServerOptions): S {
  const resolved = resolveHardenServerOptions(options)
  // Node refuses a headersTimeout beyond the requestTimeout only at construction; set later it would never fire.
  server.headersTimeout = Math.min(resolved.headersTimeout, resolved.requestTimeout)
  server.requestTimeout = resolved.requestTimeout
  server.keepAliveTimeout = resolved.keepAliveTimeout
  server.maxHeadersCount = resolved.maxHeadersCount
  server.maxRequestsPerSocket = resolved.maxRequestsPerSocket
  if (resolved.maxConnections > 0) server.maxConnections = resolved.maxConnections
  return server
}
