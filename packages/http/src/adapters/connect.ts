import type { IncomingMessage, ServerResponse } from 'node:http'
import { currentContext, runInContext } from '@tailwater/core'
import type { Reply } from '../exchange.ts'
import { faultReply } from '../fault.ts'
import { type Eventually, isPromise, runAfter, runBefore } from '../internal/hooks.ts'
import type { LiveExchange } from '../internal/live_exchange.ts'
import type { Middleware } from '../middleware.ts'
import type { OperationOptions } from '../operation.ts'
import { type HostOptions, resolveHostOptions } from '../options.ts'
import type { Route } from '../route.ts'
import { createRouter, isDecodable } from '../router.ts'
import { exchangeOf, NodeBody } from './node_exchange.ts'
import { writeReply } from './node_reply.ts'
import { captureReply, wayOut } from './reply_capture.ts'

export { answerMalformed } from './malformed.ts'
export { createReentry, type Reentry, reenter } from './reentry.ts'

/** What Express and connect call; also a listener for `http.createServer`. */
export type ConnectHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

/** What Express calls with an error. */
export type ConnectErrorHandler = (
  error: unknown,
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/** How routes are mounted on connect. */
export interface ConnectRouterOptions extends OperationOptions {
  host?: HostOptions
  /** Who answers an unknown path: the next handler, or a 404 problem of ours. @default 'next' where there is a next */
  unknown?: 'next' | 'problem'
}

/**
 * A handler that answers routes, in Express 4 and 5, connect, or alone.
 *
 * @example
 * app.use(connectRouter([listProducts, showProduct], { basePath: '/api' }))
 * http.createServer(connectRouter([listProducts])).listen(3000)
 */
export function connectRouter(routes: readonly Route[], options: ConnectRouterOptions = {}): ConnectHandler {
  const { host: hostOptions, unknown = 'next', ...operationOptions } = options
  const host = resolveHostOptions(hostOptions)
  const router = createRouter(routes, operationOptions)
  return (request, response, next) => {
    // Express cuts the path of a mount off `url`; the routes are relative to it.
    const path = pathOf(request.url ?? '/')
    const match = router.match(request.method ?? 'GET', path)
    const allowed = match ? [] : router.allowed(path)
    if (!match && allowed.length === 0 && next && unknown === 'next' && isDecodable(path)) return next()
    const exchange = exchangeOf(host, request, response)
    inContext(exchange, () => {
      const answer = match
        ? match.operation.answer(exchange, match.params, new NodeBody(request))
        : router.refuse(exchange, allowed)
      if (match) exchange.route = mountOf(request) + match.operation.pattern
      send(exchange, response, answer)
    })
  }
}

/**
 * Middleware around the handlers that follow it.
 *
 * @example
 * app.use(connectMiddleware([securityHeaders(), compression()]))
 */
export function connectMiddleware(
  list: Middleware | readonly Middleware[],
  options: HostOptions = {},
): (...parameters: Required<Parameters<ConnectHandler>>) => void {
  const host = resolveHostOptions(options)
  const steps = 'name' in list ? [list] : list
  return (request, response, next) => {
    const exchange = exchangeOf(host, request, response)
    captureReply(exchange, response, () => labelRoute(exchange, request))
    inContext(exchange, () => {
      const early = runBefore(exchange, steps)
      if (isPromise(early)) void early.then((reply) => (reply ? conclude(exchange, response, reply) : next()))
      else if (early) conclude(exchange, response, early)
      else next()
    })
  }
}

/**
 * Answers what the application's own handlers throw with problems, body parsers' complaints included. Put it last.
 *
 * @example
 * app.use(connectErrors())
 */
export function connectErrors(options: HostOptions = {}): ConnectErrorHandler {
  const host = resolveHostOptions(options)
  return (error, request, response, next) => {
    if (response.headersSent) return next(error)
    const exchange = exchangeOf(host, request, response)
    labelRoute(exchange, request)
    inContext(exchange, () => conclude(exchange, response, faultReply(error, exchange)))
  }
}

/** Answers every request that came this far with a 404 problem. Put it after all routes. */
export function connectNotFound(options: HostOptions = {}): ConnectHandler {
  return connectRouter([], { host: options, unknown: 'problem' })
}

function inContext(exchange: LiveExchange, act: () => void): void {
  if (currentContext() === exchange.context) act()
  else runInContext(exchange.context, act)
}

function conclude(exchange: LiveExchange, response: ServerResponse, reply: Reply): void {
  send(exchange, response, runAfter(exchange, reply))
}

function send(exchange: LiveExchange, response: ServerResponse, reply: Eventually<Reply>): void {
  if (isPromise(reply)) void reply.then((ready) => writeReply(exchange, response, ready, wayOut(response)))
  else writeReply(exchange, response, reply, wayOut(response))
}

function pathOf(target: string): string {
  const mark = target.indexOf('?')
  return mark < 0 ? target : target.slice(0, mark)
}

function mountOf(request: IncomingMessage): string {
  return (request as { baseUrl?: string }).baseUrl ?? ''
}

/** Express leaves the matched route on the request; its pattern is the label, unless it is a regular expression. */
function labelRoute(exchange: LiveExchange, request: IncomingMessage): void {
  const path = (request as { route?: { path?: unknown } }).route?.path
  if (typeof path === 'string') exchange.route ??= mountOf(request) + path
}
