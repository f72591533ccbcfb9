import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { currentContext, runInContext } from '@tailwater/core'
import type {
  FastifyInstance,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
  FastifyServerOptions,
} from 'fastify'
import type { Reply } from '../exchange.ts'
import { faultReply } from '../fault.ts'
import { isPromise, runAfter, runBefore } from '../internal/hooks.ts'
import type { LiveExchange } from '../internal/live_exchange.ts'
import type { Middleware } from '../middleware.ts'
import type { Operation, OperationOptions } from '../operation.ts'
import { type HostOptions, type ResolvedHostOptions, resolveHostOptions } from '../options.ts'
import type { Route } from '../route.ts'
import { createRouter, MAX_PARAM_LENGTH, type Router } from '../router.ts'
import type { QueryValues } from '../validation/query_string.ts'
import { answerMalformed } from './malformed.ts'
import { exchangeOf, existingExchange, NodeBody } from './node_exchange.ts'

/** How routes are mounted on Fastify. */
export interface FastifyRoutesOptions extends OperationOptions {
  host?: HostOptions
  /** Answers unknown addresses, wrong methods and errors of the application's other routes with problems. @default true */
  problems?: boolean
}

/**
 * A plugin that mounts routes on Fastify's own router.
 *
 * @example
 * await app.register(fastifyRoutes([listProducts, showProduct], { basePath: '/api' }))
 */
export function fastifyRoutes(routes: readonly Route[], options: FastifyRoutesOptions = {}): FastifyPluginCallback {
  const { host: hostOptions, problems = true, ...operationOptions } = options
  const router = createRouter(routes, operationOptions)
  const hostOf = hostFactory(hostOptions)
  return inPlace((app, _options, done) => {
    const host = hostOf(app)
    if (problems) answerProblems(app, host, router)
    void app.register((scope, _scopeOptions, scopeDone) => {
      // Our operations read their bodies themselves; the application's own parsers stay as they are.
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser('*', (_request, payload, parsed) => parsed(null, payload))
      scope.setErrorHandler((error, request, reply) => sendFault(host, error, request, reply))
      for (const operation of router.operations) mount(scope, host, operation)
      scopeDone()
    })
    done()
  })
}

/**
 * A plugin that puts middleware around every route of the scope in which it is registered, the application's own
 * routes included.
 *
 * @example
 * await app.register(fastifyMiddleware([securityHeaders(), compression()]))
 */
export function fastifyMiddleware(list: readonly Middleware[], options: HostOptions = {}): FastifyPluginCallback {
  const hostOf = hostFactory(options)
  return inPlace((app, _options, done) => {
    const host = hostOf(app)
    app.addHook('onRequest', (request, reply, next) => enter(exchangeFor(host, request, reply), list, reply, next))
    // Fastify parses bodies in the events of the socket, which have lost the context.
    app.addHook('preValidation', (request, _reply, next) => {
      const context = existingExchange(request.raw)?.context
      if (context === undefined || currentContext() === context) next()
      else runInContext(context, next)
    })
    app.addHook('onSend', leave)
    done()
  })
}

/**
 * Options for `Fastify()` itself, for what a plugin cannot reach: addresses that cannot be decoded and requests that
 * are no HTTP are answered with a problem too, and requests on kept connections are answered while the server drains.
 *
 * @example
 * const app = Fastify(fastifyDefaults())
 */
export function fastifyDefaults(options: HostOptions = {}): FastifyServerOptions {
  const host = resolveHostOptions(options)
  return {
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Long parameters are told by their schemas, not by a 404.
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    clientErrorHandler: answerMalformed,
    frameworkErrors: (error, request, reply) => sendFault(host, error, request, reply),
  }
}

/** Checks host options at once; the host of an instance also drains when that closes. */
function hostFactory(options: HostOptions | undefined): (app: FastifyInstance) => ResolvedHostOptions {
  const host = resolveHostOptions(options)
  return (app) => {
    const closing = new AbortController()
    app.addHook('preClose', (done) => {
      closing.abort()
      done()
    })
    return { ...host, closing: host.closing ? AbortSignal.any([host.closing, closing.signal]) : closing.signal }
  }
}

/** A plugin whose hooks belong to the instance it is registered on (what fastify-plugin does). */
function inPlace(plugin: FastifyPluginCallback): FastifyPluginCallback {
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true })
}

function exchangeFor(host: ResolvedHostOptions, request: FastifyRequest, reply: FastifyReply): LiveExchange {
  const exchange = exchangeOf(host, request.raw, reply.raw)
  exchange.route ??= request.routeOptions.url
  return exchange
}

function mount(scope: FastifyInstance, host: ResolvedHostOptions, operation: Operation): void {
  const { method } = operation.route
  scope.route({
    method: method === 'GET' ? ['GET', 'HEAD'] : method,
    url: operation.pattern,
    handler(request, reply) {
      const exchange = exchangeFor(host, request, reply)
      const body = new NodeBody(request.raw, request.body instanceof Readable ? request.body : request.raw)
      const run = () => {
        const answer = operation.answer(exchange, request.params as QueryValues, body)
        if (!isPromise(answer)) return send(reply, answer)
        answer.then(
          (ready) => send(reply, ready),
          (error: unknown) => send(reply, faultReply(error, exchange)),
        )
      }
      if (currentContext() === exchange.context) run()
      else runInContext(exchange.context, run)
    },
  })
}

function send(reply: FastifyReply, { status, headers, body }: Reply): void {
  if (reply.raw.destroyed && body instanceof Readable) body.destroy()
  reply.code(status)
  for (const name in headers) reply.header(name, headers[name])
  reply.send(
    body instanceof Uint8Array && !Buffer.isBuffer(body)
      ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      : body,
  )
}

/** Sends a reply that no operation made, through the `after` hooks. */
function conclude(exchange: LiveExchange, reply: FastifyReply, answer: Reply): void {
  const complete = runAfter(exchange, answer)
  if (isPromise(complete)) void complete.then((ready) => send(reply, ready))
  else send(reply, complete)
}

function sendFault(host: ResolvedHostOptions, error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const exchange = exchangeFor(host, request, reply)
  conclude(exchange, reply, faultReply(error, exchange))
}

/** Runs the `before` hooks, then the rest of the request in its context. */
function enter(exchange: LiveExchange, list: readonly Middleware[], reply: FastifyReply, next: () => void): void {
  const proceed = (early: Reply | undefined) => (early ? conclude(exchange, reply, early) : next())
  runInContext(exchange.context, () => {
    const early = runBefore(exchange, list)
    if (isPromise(early)) void early.then(proceed)
    else proceed(early)
  })
}

/** Shows what the application itself sends to the `after` hooks. */
function leave(
  request: { raw: IncomingMessage },
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload?: unknown) => void,
): void {
  const exchange = existingExchange(request.raw)
  if (!exchange || exchange.concluded) {
    done(null, payload)
    return
  }
  const answer = runAfter(exchange, {
    status: reply.statusCode,
    headers: headersOf(reply),
    body: bodyOf(payload),
  })
  const apply = ({ status, headers, body }: Reply) => {
    for (const name of Object.keys(reply.getHeaders())) if (!(name in headers)) reply.removeHeader(name)
    // Set, not appended: set-cookie is one of them.
    reply.removeHeader('set-cookie')
    reply.code(status).headers(headers)
    done(null, body)
  }
  if (isPromise(answer)) void answer.then(apply)
  else apply(answer)
}

function headersOf(reply: FastifyReply): Reply['headers'] {
  const headers: Reply['headers'] = {}
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value : String(value)
  return headers
}

function bodyOf(payload: unknown): Reply['body'] {
  if (payload === null || payload === undefined) return undefined
  if (typeof payload === 'string' || payload instanceof Uint8Array || payload instanceof Readable) return payload
  if (payload instanceof ReadableStream) return Readable.fromWeb(payload as never)
  return String(payload)
}

const ROUTERS = Symbol('tailwater.routers')

/** Sets the handlers of unknown addresses and of errors, once per instance whatever is mounted later. */
function answerProblems(app: FastifyInstance, host: ResolvedHostOptions, router: Router): void {
  const known = (app as unknown as { [ROUTERS]?: Router[] })[ROUTERS]
  if (known) {
    known.push(router)
    return
  }
  const routers = [router]
  app.decorate(ROUTERS, routers)
  app.setNotFoundHandler((request, reply) => {
    const exchange = exchangeFor(host, request, reply)
    const owner = routers.find((one) => one.allowed(exchange.path).length > 0)
    const answer = (owner ?? NOWHERE).refuse(exchange, owner?.allowed(exchange.path) ?? [])
    if (isPromise(answer)) void answer.then((ready) => send(reply, ready))
    else send(reply, answer)
  })
  app.setErrorHandler((error, request, reply) => sendFault(host, error, request, reply))
}

/** Stands for addresses that belong to no router. */
const NOWHERE = createRouter([])
