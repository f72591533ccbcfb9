/** Stands in `payments.provider` where a marketplace has taken its buyer's money. */
export const MARKETPLACE_PROVIDER = 'marketplace'

/** What is asked for before an order is written. */
export interface AuthorisationRequest {
  /** Chosen by us, so that asking again after a crash or a lost answer finds the same authorisation. */
  reference: string
  amount: number
  currency: string
  /** The provider's own token for the customer's card. Card numbers never come here. */
  token: string
}

/** The provider's decision; final for its reference, with the amount that was asked for first. */
export type Authorisation = { status: 'authorised'; amount: number } | { status: 'declined'; reason: string }

/** What is given back of a payment. */
export interface RefundRequest {
  /** Of this refund: asking twice gives back once. */
  reference: string
  /** Of the payment. */
  of: string
  amount: number
}

/**
 * Whoever moves the money.
 *
 * Promises: every operation is idempotent by its reference; `authorise` answers the same for the same reference;
 * `capture` of what is not authorised, any more or at all, takes nothing and says so; `release` of an unknown, released or
 * declined reference changes nothing, and gives back what was captured; `refund` takes from what was authorised or captured. Each rejects when the provider cannot be reached, and may then be repeated.
 */
export interface PaymentProvider {
  /** As it stands in `payments.provider`. */
  readonly name: string
  /** Sets the amount aside on the customer's card. */
  authorise(request: AuthorisationRequest, options?: { signal?: AbortSignal }): Promise<Authorisation>
  /** Takes what was set aside; whether it was there. */
  capture(reference: string, options?: { signal?: AbortSignal }): Promise<boolean>
  /** Lets the whole payment go. */
  release(reference: string, options?: { signal?: AbortSignal }): Promise<void>
  /** Gives a part or all of it back. */
  refund(request: RefundRequest, options?: { signal?: AbortSignal }): Promise<void>
}
