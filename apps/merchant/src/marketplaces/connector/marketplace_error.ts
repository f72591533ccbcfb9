import { TailwaterError } from '@tailwater/core'

/** What can go wrong with somebody else's system; see docs/errors/merchant.md. */
export type MarketplaceErrorCode =
  | 'E_MARKETPLACE_LIMITED'
  | 'E_MARKETPLACE_UNREACHABLE'
  | 'E_MARKETPLACE_REFUSED'
  | 'E_MARKETPLACE_WEBHOOK'

/** More about an error of a marketplace. */
export interface MarketplaceErrorDetails {
  /** The HTTP status, or what stands for it in the marketplace's own numbers. */
  status?: number
  /** Milliseconds until a limited caller is served again. */
  retryAfter?: number
  cause?: unknown
}

/** An error of a marketplace. Limits and failures pass, so the call can be made again; refusals stay. */
export class MarketplaceError extends TailwaterError<MarketplaceErrorCode> {
  readonly retryable: boolean
  readonly status: number | undefined
  readonly retryAfter: number | undefined

  constructor(code: MarketplaceErrorCode, message: string, details: MarketplaceErrorDetails = {}) {
    super(code, message, { ...details })
    this.retryable = code === 'E_MARKETPLACE_LIMITED' || code === 'E_MARKETPLACE_UNREACHABLE'
    this.status = details.status
    this.retryAfter = details.retryAfter
  }
}
