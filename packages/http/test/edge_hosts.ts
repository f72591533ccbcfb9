import { Readable } from 'node:stream'
import type { Middleware } from '@tailwater/http'
import { connectErrors, connectMiddleware } from '@tailwater/http/connect'
import { fastifyMiddleware, fastifyRoutes } from '@tailwater/http/fastify'
import { wrapFetch } from '@tailwater/http/fetch'
import type { Served } from '@tailwater/http/testing'
import type express from 'express'
import Fastify from 'fastify'
import { serveFetch } from './fetch_bridge.ts'
import { serveListener } from './served.ts'

/** What an application answers, written for every framework alike. */
export interface Pieces {
  /** A JSON text. */
  list(): string
  /** A body that is written piece by piece. */
  rows(): Readable
}

/** One framework with the middleware around handlers of an application's own. */
export type EdgeHost = (middleware: readonly Middleware[], pieces: Pieces) => Promise<Served>

const JSON_TYPE = 'application/json; charset=utf-8'

/** Fastify. */
export const onFastify: EdgeHost = async (middleware, { list, rows }) => {
  const app = Fastify()
  await app.register(fastifyMiddleware(middleware))
  await app.register(fastifyRoutes([]))
  app.get('/list', (_, reply) => reply.type(JSON_TYPE).send(list()))
  app.get('/rows', (_, reply) => reply.type('text/plain').send(rows()))
  app.get('/events', (_, reply) => reply.type('text/event-stream').send(rows()))
  app.get('/fail', async () => {
    throw new Error('secret')
  })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    url,
    async close() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

/** Express of either version. */
export function onExpress(framework: typeof express): EdgeHost {
  return (middleware, { list, rows }) => {
    const app = framework()
    app.use(connectMiddleware(middleware))
    app.get('/list', (_request, response) => void response.type('json').send(list()))
    app.get('/rows', (_request, response) => sendStream(response.type('text/plain'), rows()))
    app.get('/events', (_request, response) => sendStream(response.type('text/event-stream'), rows()))
    app.get('/fail', () => {
      throw new Error('secret')
    })
    app.use(connectErrors())
    return serveListener(app)
  }
}

/** As users of Express do it, who end the source themselves when the client leaves. */
function sendStream(response: express.Response, body: Readable): void {
  response.on('close', () => body.destroy())
  body.pipe(response)
}

/** A bare fetch handler. */
export const onFetch: EdgeHost = (middleware, { list, rows }) =>
  serveFetch(
    wrapFetch(async (request) => {
      const path = new URL(request.url).pathname
      if (path === '/fail') throw new Error('secret')
      if (path === '/list') return new Response(list(), { headers: { 'content-type': JSON_TYPE } })
      const type = path === '/rows' ? 'text/plain' : path === '/events' ? 'text/event-stream' : undefined
      if (type) return new Response(Readable.toWeb(rows()) as never, { headers: { 'content-type': type } })
      return new Response('not there', { status: 404 })
    }, middleware),
  )
