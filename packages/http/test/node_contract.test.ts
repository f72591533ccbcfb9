import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { currentContext } from '@tailwater/core'
import { connectErrors, connectMiddleware, connectRouter } from '@tailwater/http/connect'
import { adapterContract } from '@tailwater/http/testing'
import { ownPieces, turn } from './own_pieces.ts'
import { serveListener } from './served.ts'

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  if (path === '/own/json') {
    await turn()
    response.end(JSON.stringify({ own: true, id: currentContext()?.requestId }))
  } else if (path === '/own/stream') {
    response.setHeader('content-type', 'text/plain')
    Readable.from(ownPieces()).pipe(response)
  } else if (path === '/own/cookies') {
    response.writeHead(200, 'OK', ['set-cookie', ['a=1', 'b=2']] as never)
    response.end('ok')
  } else if (path === '/own/empty') {
    response.statusCode = 204
    response.end()
  } else if (path === '/own/fail') throw new Error('secret')
  else if (path.startsWith('/own/items/')) response.end(path.slice(11))
  else if (path === '/own/events') {
    response.setHeader('content-type', 'text/event-stream')
    response.flushHeaders()
    response.write('data: 1\n\n')
  } else response.end(JSON.stringify(await json(request)))
}

adapterContract(
  'node:http',
  {
    serve: (routes, options = {}) => serveListener(connectRouter(routes, options)),
    serveOwn(middleware, host) {
      const around = connectMiddleware(middleware, host)
      const errors = connectErrors()
      return serveListener((request, response) =>
        around(request, response, () => {
          answer(request, response).catch((error: unknown) =>
            errors(error, request, response, () => response.destroy()),
          )
        }),
      )
    },
  },
  { 'the pattern of the handler is the label': 'a bare server has no patterns' },
)
