import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { Reply } from '../exchange.ts'
import { faultReply } from '../fault.ts'
import { complete } from '../internal/hooks.ts'
import type { LiveExchange } from '../internal/live_exchange.ts'

/** The calls by which a reply really leaves, for responses whose own methods have been replaced. */
export interface RawResponse {
  writeHead(status: number, headers: Reply['headers']): void
  /** @returns false when the client should be waited for */
  write(chunk: Uint8Array | string): boolean
  end(chunk?: Uint8Array | string): void
}

/** The calls of a response as they are now; later replacements do not reach them. */
export function rawResponse(response: ServerResponse): RawResponse {
  const { writeHead, write, end } = response
  return {
    writeHead: (status, headers) => void writeHead.call(response, status, headers as never),
    write: (chunk) => write.call(response, chunk, 'utf8'),
    end: (chunk) => void end.call(response, chunk, 'utf8'),
  }
}

/** Sends a completed reply over Node's HTTP. */
export function writeReply(
  exchange: LiveExchange,
  response: ServerResponse,
  reply: Reply,
  raw: RawResponse = rawResponse(response),
): void {
  const { body } = reply
  if (response.headersSent || response.destroyed) {
    if (body instanceof Readable) body.destroy()
  } else if (body instanceof Readable) {
    writeStream(exchange, response, reply, body, raw)
  } else {
    raw.writeHead(reply.status, reply.headers)
    raw.end(body)
  }
}

/** The head leaves with the first bytes, so that a source that fails at once can still be told of as a problem. */
function writeStream(
  exchange: LiveExchange,
  response: ServerResponse,
  reply: Reply,
  body: Readable,
  raw: RawResponse,
): void {
  exchange.bytes = 0
  let begun = false
  const begin = () => {
    if (!begun) raw.writeHead(reply.status, reply.headers)
    begun = true
  }
  body.on('data', (chunk: Buffer | string) => {
    begin()
    exchange.bytes! += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.length
    if (!raw.write(chunk)) body.pause()
  })
  body.on('end', () => {
    begin()
    raw.end()
  })
  body.on('error', (error) => {
    // Writing on after the client has left is no fault of ours.
    if (response.closed || response.destroyed) return
    const fault = faultReply(error, exchange)
    if (begun) {
      response.destroy()
      return
    }
    const told = complete(exchange, fault)
    raw.writeHead(told.status, told.headers)
    raw.end(told.body as string)
  })
  response.on('drain', () => body.resume())
  response.once('close', () => body.destroy())
}
