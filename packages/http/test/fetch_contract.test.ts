import { Readable } from 'node:stream'
import { currentContext } from '@tailwater/core'
import { fetchRouter, wrapFetch } from '@tailwater/http/fetch'
import { adapterContract } from '@tailwater/http/testing'
import { serveFetch } from './fetch_bridge.ts'
import { ownPieces, turn } from './own_pieces.ts'

async function answer(request: Request): Promise<Response> {
  const path = new URL(request.url).pathname
  if (path === '/own/json') {
    await turn()
    return Response.json({ own: true, id: currentContext()?.requestId })
  }
  if (path === '/own/stream') return new Response(Readable.toWeb(Readable.from(ownPieces())) as never)
  if (path === '/own/cookies') {
    const headers = new Headers([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
    return new Response('ok', { headers })
  }
  if (path === '/own/empty') return new Response(null, { status: 204 })
  if (path === '/own/fail') throw new Error('secret')
  if (path.startsWith('/own/items/')) return new Response(path.slice(11))
  if (path === '/own/events') return new Response(oneEvent(), { headers: { 'content-type': 'text/event-stream' } })
  return Response.json(await request.json())
}

function oneEvent(): ReadableStream {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('data: 1\n\n'))
    },
  })
}

adapterContract(
  'fetch',
  {
    serve: (routes, options = {}) => serveFetch(fetchRouter(routes, options)),
    serveOwn: (middleware, host) => serveFetch(wrapFetch(answer, middleware, host)),
  },
  { 'the pattern of the handler is the label': 'a bare fetch handler has no patterns' },
)
