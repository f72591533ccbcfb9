import { randomBytes } from 'node:crypto'
import { backgroundError, toError } from '@tailwater/core'
import type { HeaderMap } from '../exchange.ts'
import { headerText } from '../header.ts'
import type { CacheRequest, Forward } from './opening.ts'

/** A request that brings a stale response up to date, for whoever can send it through the application again. */
export interface RefreshRequest {
  method: 'GET'
  scheme: 'http' | 'https'
  host: string
  /** Path and query string. */
  target: string
  /** The peer that had the response found stale: the refresh is to look as if it came from there. */
  remoteAddress: string
  /** Those of the request that found the response stale, and one by which the cache knows the refresh: all must be sent. */
  headers: Record<string, string | string[]>
}

/**
 * Sends a request through the application: `app.inject` of Fastify, the handler itself with fetch, `reenter` of `@tailwater/http/connect` with Express.
 * What it returns is awaited: it must not be done before the request is answered.
 */
export type Refresh = (request: RefreshRequest) => unknown

/** Known to nobody: its value is 128 random bits, and counts once. */
const HEADER = 'tailwater-refresh'

/** Refreshes that are on their way through the application. */
export interface Refreshes {
  start(forward: Forward, request: CacheRequest, remoteAddress: string): void
  /** The forward that a request was made for; `unknown` for one that bears the mark of a refresh and is none. The mark is taken off. */
  claim(headers: HeaderMap): Forward | 'unknown' | undefined
}

/** Begins refreshes and knows them again. */
export function createRefreshes(refresh: Refresh): Refreshes {
  const underWay = new Map<string, Forward>()

  async function run(forward: Forward, request: CacheRequest, remoteAddress: string): Promise<void> {
    const { scheme, host, target } = request
    const token = randomBytes(16).toString('base64url')
    underWay.set(token, forward)
    try {
      const headers = { ...forward.headers, [HEADER]: token } as RefreshRequest['headers']
      await refresh({ method: 'GET', scheme, host, target, headers, remoteAddress })
    } catch (error) {
      if (backgroundError.hasSubscribers)
        backgroundError.publish({ source: 'http response cache refresh', error: toError(error) })
    } finally {
      // Something before us has refused it, or it never came.
      if (underWay.delete(token)) forward.abandon()
    }
  }
  return {
    start: (forward, request, remoteAddress) => void run(forward, request, remoteAddress),
    claim(headers) {
      const token = headerText(headers, HEADER)
      if (token === undefined) return undefined
      delete headers[HEADER]
      const forward = underWay.get(token)
      underWay.delete(token)
      return forward ?? 'unknown'
    },
  }
}
