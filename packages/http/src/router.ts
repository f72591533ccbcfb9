import { TailwaterError } from '@tailwater/core'
import findMyWay from 'find-my-way'
import type { Reply } from './exchange.ts'
import { faultReply } from './fault.ts'
import { type Eventually, isPromise, runAfter, runBefore } from './internal/hooks.ts'
import type { LiveExchange } from './internal/live_exchange.ts'
import { compileOperation, type Operation, type OperationOptions } from './operation.ts'
import { type HttpProblem, problem } from './problem.ts'
import type { Method, Route } from './route.ts'
import type { QueryValues } from './validation/query_string.ts'

/** An operation found for a request, with its path's parameters. */
export interface Match {
  operation: Operation
  params: QueryValues
}

/** Finds the operation that a method and a path ask for. */
export interface Router {
  readonly operations: readonly Operation[]
  /**
   * @param path without query string
   * @returns undefined when no operation has this path for this method
   */
  match(method: string, path: string): Match | undefined
  /** Methods under which a path is known, HEAD and OPTIONS included; empty for an unknown path. */
  allowed(path: string): string[]
  /** Answers a request that no operation takes: with the methods for OPTIONS, with 405, 404 or 400 otherwise. */
  refuse(exchange: LiveExchange, allowed: readonly string[]): Eventually<Reply>
}

/** Longest value of one path parameter; the server's limit on the request line is 16 KiB. */
export const MAX_PARAM_LENGTH = 16_384
const METHODS: readonly Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
const BAD_URL = () => {}

/**
 * Compiles routes for matching.
 *
 * @throws E_ROUTE for two operations of one id, or one method and path
 */
export function createRouter(routes: readonly Route[], options: OperationOptions = {}): Router {
  const tree = findMyWay({ maxParamLength: MAX_PARAM_LENGTH, onBadUrl: BAD_URL })
  refuseDuplicates(routes)
  const operations = routes.map((route) => compileOperation(route, options))
  for (const operation of operations) tree.on(operation.route.method, operation.pattern, () => {}, operation)

  function match(method: string, path: string): Match | undefined {
    const found = tree.find((method === 'HEAD' ? 'GET' : method) as Method, path)
    if (!found?.store) return undefined
    return { operation: found.store as Operation, params: found.params as QueryValues }
  }

  const middleware = options.middleware ?? []
  return {
    operations,
    match,
    refuse(exchange, allowed) {
      // Through the middleware all the same: CORS preflights are such requests, and limits count them.
      const early = runBefore(exchange, middleware)
      const conclude = (reply: Reply | undefined) => runAfter(exchange, reply ?? refusal(exchange, allowed))
      return isPromise(early) ? early.then(conclude) : conclude(early)
    },
    allowed(path) {
      const known = METHODS.filter((method) => match(method, path)) as string[]
      if (known.length === 0) return []
      return [...(known.includes('GET') ? ['GET', 'HEAD'] : []), ...known.filter((m) => m !== 'GET'), 'OPTIONS']
    },
  }
}

function refusal(exchange: LiveExchange, allowed: readonly string[]): Reply {
  if (exchange.method === 'OPTIONS' && allowed.length > 0)
    return { status: 204, headers: { allow: allowed.join(', ') }, body: undefined }
  return faultReply(whyRefused(exchange, allowed), exchange)
}

function whyRefused({ method, path }: LiveExchange, allowed: readonly string[]): HttpProblem {
  if (!isDecodable(path)) return problem(400, 'E_URL_ENCODING', 'The path holds an invalid percent-encoding.')
  if (allowed.length === 0) return problem(404, 'E_NOT_FOUND', 'There is nothing at this address.')
  return problem(405, 'E_METHOD', `This address does not take ${method.slice(0, 20)}.`, {
    headers: { allow: allowed.join(', ') },
  })
}

/** Whether a path's percent-encodings are valid. */
export function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path)
    return true
  } catch {
    return false
  }
}

function refuseDuplicates(routes: readonly Route[]): void {
  const seen = new Map<string, Route>()
  for (const route of routes)
    for (const key of [route.id, `${route.method} ${route.path.replace(/:\w+/g, ':')}`]) {
      const other = seen.get(key)
      if (other) throw new TailwaterError('E_ROUTE', `routes '${other.id}' and '${route.id}' are both ${key}`, { key })
      seen.set(key, route)
    }
}
