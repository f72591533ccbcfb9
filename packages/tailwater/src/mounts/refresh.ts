import type { Refresh } from '@tailwater/http'
import { reenter } from '@tailwater/http/connect'
import type { FetchHandler } from '@tailwater/http/fetch'
import type { FastifyInstance } from 'fastify'

/** Runs a Fastify application again: injected, or over its server where that is a secure one, which an injected request would not come from. */
export function refreshOfFastify(app: FastifyInstance): Refresh {
  return (request) => {
    const { method, target: url, headers, remoteAddress } = request
    if ('setSecureContext' in app.server) return reenter(app.server, request)
    return app.inject({ method, url, headers, ...(remoteAddress && { remoteAddress }) })
  }
}

/** Runs a fetch handler again. */
export function refreshOfFetch(handle: FetchHandler): Refresh {
  return async ({ scheme, host, target, headers, remoteAddress }) => {
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((one) => [name, one] as [string, string]),
    )
    const response = await handle(new Request(`${scheme}://${host}${target}`, { headers: lines }), { remoteAddress })
    await response.body?.cancel()
  }
}
