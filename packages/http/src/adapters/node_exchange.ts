import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import { type BodySource, readStream, refuseCoding, tooLarge } from '../body_source.ts'
import { LiveExchange, type Wire } from '../internal/live_exchange.ts'
import type { ResolvedHostOptions } from '../options.ts'

const EXCHANGE = Symbol('tailwater.exchange')

/** nginx's status for a client that went away before there was a reply; never sent. */
const CLIENT_CLOSED = 499

interface Carrier extends IncomingMessage {
  [EXCHANGE]?: LiveExchange
}

/** The exchange of a Node request; made by the first of our pieces that sees it, shared by the others. */
export function exchangeOf(
  host: ResolvedHostOptions,
  request: IncomingMessage,
  response: ServerResponse,
): LiveExchange {
  const carrier = request as Carrier
  carrier[EXCHANGE] ??= open(host, request, response)
  return carrier[EXCHANGE]
}

/** The exchange already made for a request. */
export function existingExchange(request: IncomingMessage): LiveExchange | undefined {
  return (request as Carrier)[EXCHANGE]
}

function open(host: ResolvedHostOptions, request: IncomingMessage, response: ServerResponse): LiveExchange {
  const exchange = new LiveExchange(host, new NodeWire(request, response), {
    method: request.method ?? 'GET',
    // Express cuts a mount's path off `url`, and keeps the whole.
    target: (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/',
    headers: request.headers,
    remoteAddress: request.socket.remoteAddress ?? '',
  })
  response.once('close', () => {
    const aborted = !response.writableFinished
    exchange.finish({
      status: response.headersSent || !aborted ? response.statusCode : CLIENT_CLOSED,
      aborted,
      bytes: exchange.bytes ?? announcedLength(response),
    })
  })
  return exchange
}

function announcedLength(response: ServerResponse): number | undefined {
  const length = response.getHeader('content-length')
  return length === undefined ? undefined : Number(length)
}

class NodeWire implements Wire {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #controller: AbortController | undefined = undefined

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
  }

  get encrypted(): boolean {
    return 'encrypted' in this.#request.socket
  }

  signal(): AbortSignal {
    if (!this.#controller) {
      const controller = new AbortController()
      this.#controller = controller
      const response = this.#response
      const onClose = () => {
        if (!response.writableFinished) controller.abort(new Error('the client went away'))
      }
      if (response.closed) onClose()
      else response.once('close', onClose)
    }
    return this.#controller.signal
  }
}

/** The body of a Node request, parsed already (express.json) or not. */
export class NodeBody implements BodySource {
  readonly #request: IncomingMessage
  readonly #stream: Readable

  /** @param stream what the body is read from, when a hook has put another stream before the request */
  constructor(request: IncomingMessage, stream: Readable = request) {
    this.#request = request
    this.#stream = stream
  }

  get present(): boolean {
    const { headers } = this.#request
    if (headers['transfer-encoding'] !== undefined) return true
    const length = headers['content-length']
    return length !== undefined && length !== '0'
  }

  get parsed(): { value: unknown } | undefined {
    const { body, _body } = this.#request as { body?: unknown; _body?: boolean }
    return _body === true || (body !== undefined && this.#request.readableEnded) ? { value: body } : undefined
  }

  async read(limit: number): Promise<Uint8Array> {
    // A hook's own stream before the request is what has decoded it.
    if (this.#stream === this.#request) refuseCoding(this.#request.headers['content-encoding'])
    if (Number(this.#request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
    return readStream(this.#stream, limit)
  }
}
