import { runInContext } from '@tailwater/core'
import type { Reply } from '../exchange.ts'
import { faultReply } from '../fault.ts'
import { isPromise, runAfter, runBefore } from '../internal/hooks.ts'
import type { LiveExchange } from '../internal/live_exchange.ts'
import type { Middleware } from '../middleware.ts'
import type { OperationOptions } from '../operation.ts'
import { type HostOptions, resolveHostOptions } from '../options.ts'
import type { Route } from '../route.ts'
import { createRouter } from '../router.ts'
import { type ConnectionInfo, FetchBody, fetchExchange } from './fetch_exchange.ts'
import { replyOf, responseOf } from './fetch_response.ts'

export type { ConnectionInfo } from './fetch_exchange.ts'

/** A handler of the Fetch standard; `info` tells what a Request cannot. */
export type FetchHandler = (request: Request, info?: ConnectionInfo) => Promise<Response>

/** How routes are mounted on fetch. */
export interface FetchRouterOptions extends OperationOptions {
  host?: HostOptions
}

/**
 * A fetch handler that answers routes.
 *
 * @example
 * const handle = fetchRouter([listProducts, showProduct])
 * const response = await handle(new Request('http://localhost/products'))
 */
export function fetchRouter(routes: readonly Route[], options: FetchRouterOptions = {}): FetchHandler {
  const { host: hostOptions, ...operationOptions } = options
  const host = resolveHostOptions(hostOptions)
  const router = createRouter(routes, operationOptions)
  return (request, info) => {
    const exchange = fetchExchange(host, request, info)
    const match = router.match(request.method, exchange.path)
    return runInContext(exchange.context, async () =>
      responseOf(
        exchange,
        await (match
          ? match.operation.answer(exchange, match.params, new FetchBody(request))
          : router.refuse(exchange, router.allowed(exchange.path))),
      ),
    )
  }
}

/**
 * Puts middleware around a fetch handler.
 *
 * @example
 * export default { fetch: wrapFetch(app.fetch, [securityHeaders(), compression()]) }
 */
export function wrapFetch(
  handler: (request: Request, info?: ConnectionInfo) => Response | Promise<Response>,
  list: readonly Middleware[],
  options: HostOptions = {},
): FetchHandler {
  const host = resolveHostOptions(options)
  return (request, info) => {
    const exchange = fetchExchange(host, request, info)
    return runInContext(exchange.context, async () => {
      const began = runBefore(exchange, list)
      const early = isPromise(began) ? await began : began
      if (early) return responseOf(exchange, await runAfter(exchange, early))
      return around(exchange, () => handler(request, info))
    })
  }
}

async function around(exchange: LiveExchange, handle: () => Response | Promise<Response>): Promise<Response> {
  let reply: Reply
  try {
    const response = await handle()
    // One of our routers has answered, through all hooks.
    if (exchange.concluded) return response
    reply = await replyOf(response)
  } catch (error) {
    reply = faultReply(error, exchange)
  }
  return responseOf(exchange, await runAfter(exchange, reply))
}
