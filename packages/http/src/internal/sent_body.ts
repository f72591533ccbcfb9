import { Readable } from 'node:stream'
import type { Reply } from '../exchange.ts'
import { EventFrames } from '../sse.ts'
import type { LiveExchange } from './live_exchange.ts'

/** What of a body is sent (nothing to HEAD, with 204 and 304), with its length in the headers when that is known. */
export function sentBody(
  exchange: LiveExchange,
  status: number,
  headers: Reply['headers'],
  body: Reply['body'],
): Reply['body'] {
  const isHead = exchange.method === 'HEAD'
  const isEmpty = body === undefined || status === 204 || status === 304
  if (!isEmpty && !isHead && body instanceof Readable) return endedByDrain(exchange, body)
  if (body instanceof Readable) body.destroy()
  exchange.bytes = 0
  if (isEmpty) {
    if (status === 204 || status === 304) delete headers['content-length']
    else if (!isHead) headers['content-length'] = '0'
    return undefined
  }
  if (body instanceof Readable) return undefined
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength
  headers['content-length'] = String(length)
  if (isHead) return undefined
  exchange.bytes = length
  return body
}

/** An event stream never ends by itself, and would hold up the end of the server. */
function endedByDrain(exchange: LiveExchange, body: Readable): Readable {
  const { closing } = exchange.host
  if (!closing || !(body instanceof EventFrames)) return body
  const end = () => body.end()
  if (closing.aborted) end()
  else {
    closing.addEventListener('abort', end, { once: true })
    body.once('close', () => closing.removeEventListener('abort', end))
  }
  return body
}
