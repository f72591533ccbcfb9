import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'

/** A request as somebody else's server got it. */
export interface PeerRequest {
  headers: IncomingMessage['headers']
  body: string
}

/** What it answers: a status and JSON, or nothing for ever. */
export type PeerAnswer = { status: number; body?: unknown } | 'silence'

/** Somebody else's HTTP server. */
export interface HttpPeer {
  url: string
  requests: PeerRequest[]
  /** Decides the next answers. */
  answer: (request: PeerRequest) => PeerAnswer | Promise<PeerAnswer>
}

/** Starts one on a free port; it ends with the tests. */
export async function startHttpPeer(answer: HttpPeer['answer']): Promise<HttpPeer> {
  const server = createServer(async (request, response) => {
    const received = { headers: request.headers, body: await text(request) }
    peer.requests.push(received)
    const told = await peer.answer(received)
    if (told === 'silence') return
    response.writeHead(told.status, { 'content-type': 'application/json' })
    response.end(
      told.body === undefined ? undefined : typeof told.body === 'string' ? told.body : JSON.stringify(told.body),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  const peer: HttpPeer = { url: `http://127.0.0.1:${port}/`, requests: [], answer }
  return peer
}
