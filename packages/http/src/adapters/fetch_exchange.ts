import { toError } from '@tailwater/core'
import { type BodySource, endedEarly, refuseCoding, tooLarge } from '../body_source.ts'
import type { HeaderMap } from '../exchange.ts'
import { LiveExchange } from '../internal/live_exchange.ts'
import type { ResolvedHostOptions } from '../options.ts'

/** What a server knows of a connection and a Request does not tell. */
export interface ConnectionInfo {
  /** The socket's peer. */
  remoteAddress?: string
}

const exchanges = new WeakMap<Request, LiveExchange>()

/** The exchange of a Request; made by the first of our pieces that sees it, shared by the others. */
export function fetchExchange(host: ResolvedHostOptions, request: Request, info: ConnectionInfo = {}): LiveExchange {
  const known = exchanges.get(request)
  if (known) return known
  const exchange = open(host, request, info)
  exchanges.set(request, exchange)
  return exchange
}

function open(host: ResolvedHostOptions, request: Request, { remoteAddress = '' }: ConnectionInfo): LiveExchange {
  const { url } = request
  const pathAt = url.indexOf('/', url.indexOf('://') + 3)
  const headers: HeaderMap = Object.fromEntries(request.headers)
  headers['host'] ??= url.slice(url.indexOf('://') + 3, pathAt)
  const wire = { encrypted: url.startsWith('https:'), signal: () => request.signal }
  return new LiveExchange(host, wire, { method: request.method, target: url.slice(pathAt), headers, remoteAddress })
}

/** The body of a Request. */
export class FetchBody implements BodySource {
  readonly #request: Request

  constructor(request: Request) {
    this.#request = request
  }

  get present(): boolean {
    return this.#request.body !== null && this.#request.headers.get('content-length') !== '0'
  }

  async read(limit: number): Promise<Uint8Array> {
    refuseCoding(this.#request.headers.get('content-encoding') ?? undefined)
    if (Number(this.#request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit)
    try {
      return await this.#readWhole(limit)
    } catch (error) {
      throw this.#request.signal.aborted ? endedEarly(toError(error)) : error
    }
  }

  async #readWhole(limit: number): Promise<Uint8Array> {
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of this.#request.body ?? []) {
      size += chunk.byteLength
      if (size > limit) throw tooLarge(limit)
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }
}
