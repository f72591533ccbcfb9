import { Readable } from 'node:stream'
import { currentContext } from '@tailwater/core'
import { fastifyDefaults, fastifyMiddleware, fastifyRoutes } from '@tailwater/http/fastify'
import { adapterContract, type Served } from '@tailwater/http/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { ownPieces, turn } from './own_pieces.ts'

async function listening(app: FastifyInstance): Promise<Served> {
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    url,
    async close() {
      app.server.closeAllConnections()
      await app.close()
    },
  }
}

adapterContract('Fastify', {
  async serve(routes, { host = {}, ...options } = {}) {
    const app = Fastify(fastifyDefaults(host))
    await app.register(fastifyRoutes(routes, { ...options, host }))
    return listening(app)
  },

  async serveOwn(middleware, host) {
    const app = Fastify()
    await app.register(fastifyMiddleware(middleware, host))
    await app.register(fastifyRoutes([]))
    app.get('/own/json', async () => {
      await turn()
      return { own: true, id: currentContext()?.requestId }
    })
    app.get('/own/stream', (_, reply) => reply.type('text/plain').send(Readable.from(ownPieces())))
    app.get('/own/cookies', (_, reply) => reply.header('set-cookie', ['a=1', 'b=2']).send('ok'))
    app.get('/own/empty', (_, reply) => reply.code(204).send())
    app.get('/own/fail', async () => {
      throw new Error('secret')
    })
    app.get<{ Params: { id: string } }>('/own/items/:id', (request) => Promise.resolve(request.params.id))
    app.get('/own/events', (_, reply) => {
      const body = new Readable({ read() {} })
      body.push('data: 1\n\n')
      return reply.type('text/event-stream').send(body)
    })
    app.post('/own/echo', (request) => Promise.resolve(request.body))
    return listening(app)
  },
})
