import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import { PassThrough } from 'node:stream'
import type { Reply } from '../exchange.ts'
import { isPromise, runAfter } from '../internal/hooks.ts'
import type { LiveExchange } from '../internal/live_exchange.ts'
import { type RawResponse, rawResponse, writeReply } from './node_reply.ts'

/*
 * Shows the `after` hooks what a connect handler sends, which it does by calling methods of the response.
 *
 * The methods are replaced on the one response. A handler that ends without having written gives a whole body; from
 * the first `write` or `flushHeaders` on it is a stream, never kept: hooks see it begin, and each piece is passed on.
 * Modes: open; streaming; ended. The real methods stay with us, so that nobody else's replacement is undone.
 */

const CAPTURE = Symbol('tailwater.capture')

interface Captured extends ServerResponse {
  [CAPTURE]?: ReplyCapture
}

/** Begins to capture what is sent on a response; again does nothing. */
export function captureReply(exchange: LiveExchange, response: ServerResponse, beforeReply: () => void): void {
  const carrier = response as Captured
  carrier[CAPTURE] ??= new ReplyCapture(exchange, response, beforeReply)
}

/** The calls by which a reply of our own leaves, past the capture. */
export function wayOut(response: ServerResponse): RawResponse {
  return (response as Captured)[CAPTURE]?.raw ?? rawResponse(response)
}

class ReplyCapture {
  readonly raw: RawResponse
  readonly #exchange: LiveExchange
  readonly #response: ServerResponse
  readonly #beforeReply: () => void
  #stream: PassThrough | undefined = undefined
  #isEnded = false

  constructor(exchange: LiveExchange, response: ServerResponse, beforeReply: () => void) {
    this.#exchange = exchange
    this.#response = response
    this.#beforeReply = beforeReply
    this.raw = rawResponse(response)
    const write = (chunk: unknown, ...rest: unknown[]) => this.#write(chunk, rest)
    const end = (...parts: unknown[]) => this.#end(parts)
    Object.assign(response, { write, end })
    response.writeHead = ((status: number, ...rest: unknown[]) => this.#writeHead(status, rest)) as never
    response.flushHeaders = () => void this.#begin()
  }

  #writeHead(status: number, rest: unknown[]): ServerResponse {
    const response = this.#response
    response.statusCode = status
    if (typeof rest[0] === 'string') response.statusMessage = rest.shift() as string
    const headers = rest[0] as OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined
    for (const [name, value] of pairsOf(headers)) response.setHeader(name, value as string)
    return response
  }

  #write(chunk: unknown, rest: unknown[]): boolean {
    return this.#begin().write(chunk, ...(rest as []))
  }

  #end(parts: unknown[]): ServerResponse {
    const done = parts.find((part) => typeof part === 'function') as (() => void) | undefined
    const [chunk, encoding] = parts.filter((part) => typeof part !== 'function')
    if (this.#isEnded) return this.#response
    this.#isEnded = true
    if (done) this.#response.once('finish', done)
    if (this.#stream) this.#stream.end(chunk, encoding as BufferEncoding)
    else this.#send(wholeBody(chunk, encoding))
    return this.#response
  }

  /** Turns to streaming; what is written waits in the stream until the hooks have seen its head. */
  #begin(): PassThrough {
    if (!this.#stream) {
      const stream = new PassThrough()
      this.#stream = stream
      stream.on('drain', () => this.#response.emit('drain'))
      this.#send(stream)
    }
    return this.#stream
  }

  #send(body: Reply['body']): void {
    this.#beforeReply()
    const response = this.#response
    const reply = runAfter(this.#exchange, { status: response.statusCode, headers: headersOf(response), body })
    if (isPromise(reply)) void reply.then((ready) => this.#leave(ready))
    else this.#leave(reply)
  }

  #leave(reply: Reply): void {
    const response = this.#response
    for (const name of response.getHeaderNames()) if (!(name in reply.headers)) response.removeHeader(name)
    writeReply(this.#exchange, response, reply, this.raw)
  }
}

function pairsOf(headers: OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): [string, unknown][] {
  if (!headers) return []
  if (!Array.isArray(headers)) return Object.entries(headers).filter(([, value]) => value !== undefined)
  const pairs: [string, unknown][] = []
  for (let i = 0; i + 1 < headers.length; i += 2) pairs.push([String(headers[i]), headers[i + 1]])
  return pairs
}

function headersOf(response: ServerResponse): Reply['headers'] {
  const headers: Reply['headers'] = {}
  for (const [name, value] of Object.entries(response.getHeaders()))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value : String(value)
  return headers
}

function wholeBody(chunk: unknown, encoding: unknown): Reply['body'] {
  if (chunk === undefined || chunk === null || chunk === '') return undefined
  if (typeof chunk !== 'string') return chunk as Uint8Array
  return encoding === undefined || /^utf-?8$/i.test(String(encoding))
    ? chunk
    : Buffer.from(chunk, encoding as BufferEncoding)
}
