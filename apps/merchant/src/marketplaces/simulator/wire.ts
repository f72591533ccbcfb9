import type { SimulatedShop } from './simulated_shop.ts'

/** A request as it came. */
export interface WireRequest {
  method: string
  /** Without its query. */
  path: string
  query: URLSearchParams
  /** The path with its query, as it was signed. */
  target: string
  headers: Readonly<Record<string, string | string[] | undefined>>
  body: string
}

/** What is answered, as JSON. */
export interface WireAnswer {
  status: number
  headers?: Record<string, string>
  body: unknown
}

/** What a wire is made of. */
export interface WireParts {
  shop: SimulatedShop
  /** Of the seller's key. */
  secret: string
  /** Milliseconds since the Unix epoch. */
  now(): number
  /** Milliseconds to wait before the next request would be served; 0 when this one is. */
  limit(): number
}

/** The language of one marketplace. */
export type Wire = (request: WireRequest) => WireAnswer

/** Reads a body as JSON; undefined when it is none. */
export function parseBody(body: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body)
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
