import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { FetchHandler } from '@tailwater/http/fetch'
import type { Served } from '@tailwater/http/testing'
import { serveListener } from './served.ts'

/** Serves a fetch handler over Node's HTTP, as runtimes do. */
export function serveFetch(handle: FetchHandler): Promise<Served> {
  return serveListener((request, response) => {
    // A client that leaves breaks the pipeline; the handler has been told by its signal.
    answer(handle, request, response).catch(() => response.destroy())
  })
}

async function answer(handle: FetchHandler, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const leaving = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) leaving.abort()
  })
  const hasBody = request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined
  const init: RequestInit & { duplex?: 'half' } = {
    method: request.method!,
    headers: new Headers(request.headers as Record<string, string>),
    signal: leaving.signal,
  }
  if (hasBody) Object.assign(init, { body: Readable.toWeb(request), duplex: 'half' })
  const asked = new Request(`http://${request.headers.host}${request.url}`, init)
  const answered = await handle(asked, { remoteAddress: request.socket.remoteAddress ?? '' })
  const headers = Object.fromEntries(answered.headers) as Record<string, string | string[]>
  const cookies = answered.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  response.writeHead(answered.status, headers)
  if (answered.body) await pipeline(Readable.fromWeb(answered.body as never), response)
  else response.end()
}
