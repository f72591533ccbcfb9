import { integer, resolveOptions, type Size, size } from '@tailwater/core'
import type { Exchange, HeaderMap } from './exchange.ts'
import type { Middleware } from './middleware.ts'
import { problem } from './problem.ts'

/** Options of `requestLimits`. */
export interface RequestLimitsOptions {
  /** Longest path with query string, in characters. @default 8192; servers and proxies in between cut at 8 KB too */
  url?: number
  /** Most header lines. @default 100 */
  headerCount?: number
  /** Names and values of all headers together. @default '16kb', which is Node's own bound too */
  headerSize?: Size
  /** Longest body that a request may announce; routes have a `bodyLimit` of their own, which counts the bytes that arrive. @default '10mb' */
  body?: Size
}

/** Checks the options of `requestLimits` and fills in their defaults. @throws E_OPTIONS */
export function resolveRequestLimitsOptions(options: RequestLimitsOptions = {}) {
  return resolveOptions('requestLimits', options, {
    url: integer({ min: 1, default: 8_192 }),
    headerCount: integer({ min: 1, default: 100 }),
    headerSize: size({ default: '16kb' }),
    body: size({ default: '10mb' }),
  })
}

/**
 * Refuses requests that are too large before anything is read of them: 414, 431, 413.
 *
 * Put it early in the list. Node's own parser has bounds too, set by `hardenServer`; this one answers with a problem, and
 * bounds what comes through other hosts.
 *
 * @throws E_OPTIONS on a wrong option
 */
export function requestLimits(options?: RequestLimitsOptions): Middleware {
  const limits = resolveRequestLimitsOptions(options)
  return {
    name: 'requestLimits',
    before(exchange) {
      if (targetLength(exchange) > limits.url)
        throw problem(414, 'E_URL_TOO_LONG', `The address is longer than ${limits.url} characters.`)
      const { lines, bytes } = measure(exchange.headers)
      if (lines > limits.headerCount || bytes > limits.headerSize)
        throw problem(
          431,
          'E_HEADERS_TOO_LARGE',
          `A request may have ${limits.headerCount} header lines of ${limits.headerSize} bytes together.`,
        )
      const announced = Number(exchange.headers['content-length'] ?? 0)
      if (announced > limits.body)
        // The rest of the body is not worth reading: the connection ends with the reply.
        throw problem(413, 'E_BODY_TOO_LARGE', `A body may have ${limits.body} bytes.`, {
          headers: { connection: 'close' },
        })
    },
  }
}

function targetLength({ path, query }: Exchange): number {
  return path.length + (query ? query.length + 1 : 0)
}

function measure(headers: HeaderMap): { lines: number; bytes: number } {
  let lines = 0
  let bytes = 0
  for (const name in headers) {
    for (const value of [headers[name] ?? []].flat()) {
      lines++
      // Colon, space and line end.
      bytes += name.length + value.length + 4
    }
  }
  return { lines, bytes }
}
