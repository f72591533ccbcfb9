import { Readable } from 'node:stream'
import { currentContext } from '@tailwater/core'
import { connectErrors, connectMiddleware, connectRouter } from '@tailwater/http/connect'
import type { AdapterUnderTest } from '@tailwater/http/testing'
import type express from 'express'
import { ownPieces, turn } from './own_pieces.ts'
import { serveListener } from './served.ts'

/** Express, of either version, with our adapter. */
export function expressUnderTest(framework: typeof express): AdapterUnderTest {
  return {
    serve(routes, options = {}) {
      const app = framework()
      app.use(connectRouter(routes, { ...options, unknown: 'problem' }))
      return serveListener(app)
    },
    serveOwn(middleware, host) {
      const app = framework()
      app.use(connectMiddleware(middleware, host))
      app.use(framework.json())
      app.use('/own', ownRouter(framework))
      app.use(connectErrors())
      return serveListener(app)
    },
  }
}

function ownRouter(framework: typeof express): express.Router {
  const router = framework.Router()
  router.get('/json', (_request, response, next) => {
    turn().then(() => response.json({ own: true, id: currentContext()?.requestId }), next)
  })
  router.get('/stream', (_request, response) => {
    Readable.from(ownPieces()).pipe(response.type('text/plain'))
  })
  router.get('/cookies', (_request, response) => {
    response.append('set-cookie', 'a=1').append('set-cookie', 'b=2').send('ok')
  })
  router.get('/empty', (_request, response) => {
    response.status(204).end()
  })
  router.get('/fail', () => {
    throw new Error('secret')
  })
  router.get('/items/:id', (request, response) => {
    response.type('text/plain').send(request.params['id'])
  })
  router.get('/events', (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  router.post('/echo', (request, response) => {
    response.json(request.body)
  })
  return router
}
