import { once } from 'node:events'
import { type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Served } from '@tailwater/http/testing'
import { type CachingProxyOptions, createCachingProxy } from '../../src/index.ts'
import { serveListener } from '../served.ts'

/** A request as the origin got it, and the way to answer it. */
export interface Question {
  request: IncomingMessage
  response: ServerResponse
}

/** What a client got. */
export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: string
  /** `Cache-Status` without the name. */
  did: string
}

/** What a client sends. */
export interface Ask {
  method?: string
  headers?: Record<string, string | string[]>
  body?: string
}

/** An origin behind a caching proxy, both on free ports. */
export interface ProxiedOrigin {
  url: string
  port: number
  /** Requests that came to the origin, in order. */
  readonly asked: IncomingMessage[]
  proxy: ReturnType<typeof createCachingProxy>
  ask(path: string, ask?: Ask): Promise<Answer>
  /** Sends bytes as they are, and returns all that comes back until the connection closes. */
  raw(text: string): Promise<string>
  close(): Promise<void>
}

/** Starts both. @param answer what the origin does */
export async function proxyOrigin(
  answer: (question: Question) => void,
  options: Partial<CachingProxyOptions> = {},
  basePath = '',
): Promise<ProxiedOrigin> {
  const asked: IncomingMessage[] = []
  const origin = await serveListener((request, response) => {
    asked.push(request)
    // Of the machine's clock, where tests have one of their own.
    response.sendDate = false
    answer({ request, response })
  })
  const proxy = createCachingProxy({ origin: origin.url + basePath, ...options })
  const front = await serveListener(proxy)
  const port = Number(new URL(front.url).port)
  return {
    url: front.url,
    port,
    asked,
    proxy,
    ask: (path, ask) => askOnce(front, path, ask),
    async raw(text) {
      const socket = connect(port, '127.0.0.1')
      socket.write(text)
      return String(await buffer(socket))
    },
    async close() {
      proxy.close()
      await front.close()
      await origin.close()
    },
  }
}

async function askOnce(
  { url }: Served,
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  const { port } = new URL(url)
  const sent = requestHttp({ host: '127.0.0.1', port, path, method, headers, agent: false })
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const text = String(await buffer(response))
  const did = String(response.headers['cache-status'] ?? '').replace(/^tailwater; /, '')
  return { status: response.statusCode!, headers: response.headers, body: text, did }
}

/** A server that speaks bytes: each connection is given to `speak`. */
export async function serveBytes(speak: (socket: Socket) => void): Promise<Served> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    speak(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Answers with the number of the request. */
export function counting(headers: Record<string, string | string[]> = { 'cache-control': 'max-age=60' }, status = 200) {
  let count = 0
  return ({ response }: Question) => response.writeHead(status, headers).end(String(++count))
}

/** Answers only when told to. */
export function holding(headers: Record<string, string> = { 'cache-control': 'max-age=60' }) {
  const held: Question[] = []
  let seen: (() => void) | undefined
  return {
    held,
    answer(question: Question) {
      held.push(question)
      seen?.()
    },
    /** Resolves when so many requests wait. */
    async waiting(count: number) {
      while (held.length < count)
        await new Promise<void>((resolve) => {
          seen = resolve
        })
    },
    release(body = 'body') {
      for (const { response } of held.splice(0)) response.writeHead(200, headers).end(body)
    },
  }
}
