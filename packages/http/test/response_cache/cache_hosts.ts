import { Readable } from 'node:stream'
import type { Middleware } from '@tailwater/http'
import { connectErrors, connectMiddleware, createReentry } from '@tailwater/http/connect'
import { fastifyMiddleware, fastifyRoutes } from '@tailwater/http/fastify'
import { wrapFetch } from '@tailwater/http/fetch'
import type { Served } from '@tailwater/http/testing'
import type express from 'express'
import Fastify from 'fastify'
import type { RefreshRequest } from '../../src/index.ts'
import { serveFetch } from '../fetch_bridge.ts'
import { serveListener } from '../served.ts'

/** What an application of a test answers. */
export interface Answered {
  status?: number
  headers?: Record<string, string | string[]>
  body?: string | Readable
}

/** A handler, written for every framework alike. It may throw. */
export type Handle = (request: {
  path: string
  method: string
  headers: Record<string, unknown>
}) => Answered | Promise<Answered>

/** A framework with middleware around one handler of everything, and the way in which it runs itself again. */
export interface CacheHost {
  serve(
    middleware: readonly Middleware[],
    handle: Handle,
  ): Promise<Served & { refresh(request: RefreshRequest): unknown }>
}

/** Fastify, refreshed by `inject`. */
export const onFastify: CacheHost = {
  async serve(middleware, handle) {
    const app = Fastify()
    await app.register(fastifyMiddleware(middleware))
    await app.register(fastifyRoutes([]))
    app.all('/*', async (request, reply) => {
      const {
        status = 200,
        headers = {},
        body,
      } = await handle({ path: request.url, method: request.method, headers: request.headers })
      return reply.code(status).headers(headers).send(body)
    })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return {
      url,
      refresh: ({ target, headers }) => app.inject({ url: target, headers }),
      async close() {
        app.server.closeAllConnections()
        await app.close()
      },
    }
  },
}

/** Express of either version, refreshed through its own server; the handler is mounted below `/own` as well as at the root. */
export function onExpress(framework: typeof express): CacheHost {
  return {
    async serve(middleware, handle) {
      const app = framework()
      const around = connectMiddleware(middleware)
      const reentry = createReentry()
      const answer: express.RequestHandler = (request, response, next) => {
        Promise.resolve()
          .then(() => handle({ path: request.originalUrl, method: request.method, headers: request.headers }))
          .then(({ status = 200, headers = {}, body }) => {
            response.status(status).set(headers)
            if (body instanceof Readable) body.pipe(response)
            else response.send(body)
          })
          .catch(next)
      }
      app.use((request, _response, next) => {
        reentry.see(request)
        next()
      })
      app.use('/mount', around, answer)
      app.use(around, answer)
      app.use(connectErrors())
      const served = await serveListener(app)
      return { ...served, refresh: reentry.refresh }
    },
  }
}

/** A bare fetch handler, refreshed by being called. */
export const onFetch: CacheHost = {
  async serve(middleware, handle) {
    const handler = wrapFetch(async (request) => {
      const { pathname, search } = new URL(request.url)
      const {
        status = 200,
        headers = {},
        body,
      } = await handle({
        path: pathname + search,
        method: request.method,
        headers: Object.fromEntries(request.headers),
      })
      const sent =
        body instanceof Readable ? (Readable.toWeb(body) as never) : request.method === 'HEAD' ? null : (body ?? null)
      const lines = Object.entries(headers).flatMap(([name, value]) =>
        [value].flat().map((one) => [name, one] as [string, string]),
      )
      return new Response(sent, { status, headers: lines })
    }, middleware)
    const served = await serveFetch(handler)
    return {
      ...served,
      async refresh({ target, headers }) {
        await handler(new Request(served.url + target, { headers: headers as Record<string, string> }))
      },
    }
  },
}
