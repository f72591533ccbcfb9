/** A product as a marketplace is to show it. */
export interface Offer {
  /** The marketplace's own number of the listing. */
  externalId: string
  title: string
  /** In the merchant's currency, at most two decimals. */
  price: number
  /** Units that can be bought. */
  quantity: number
}

/** A product that a marketplace did not take, and why. */
export interface OfferRefusal {
  externalId: string
  /** `unknown`: it is not listed there; put the whole offer. */
  reason: 'unknown' | 'refused'
  message: string
}

/** An order as it was placed there. */
export interface MarketplaceOrder {
  externalId: string
  /** Milliseconds since the Unix epoch, by the marketplace's clock. */
  placedAt: number
  /** What the merchant has answered so far, as the marketplace knows it. */
  status: 'new' | 'confirmed' | 'rejected'
  buyer: { name: string; email: string }
  country: string
  lines: readonly { externalId: string; quantity: number; unitPrice: number }[]
}

/** Orders that were placed or changed, in the order of their changes. */
export interface MarketplaceOrders {
  orders: readonly MarketplaceOrder[]
  /** Where the next call goes on; safe to keep once these orders are. */
  cursor: string
  hasMore: boolean
}

/** A webhook's call, before anything of it is believed. */
export interface WebhookCall {
  /** Of the address that was called. */
  path: string
  /** As sent. */
  body: string
  /** Milliseconds since the Unix epoch, as the caller says. */
  timestamp: number
  signature: string
}

/** What every call to a marketplace can be given. */
export interface CallOptions {
  signal?: AbortSignal
}

/**
 * One marketplace, in our words.
 *
 * Promises, checked by `connectorContract` in the tests: each call may be repeated; what is put is the state afterwards, whatever it was before; a product that is refused is
 * reported and stops nobody else's; each call rejects with E_MARKETPLACE_LIMITED, E_MARKETPLACE_UNREACHABLE or E_MARKETPLACE_REFUSED, and within the client's time limit.
 */
export interface MarketplaceConnector {
  readonly slug: string
  /** Lists products, or puts their whole state; nothing to report when all were taken. */
  putOffers(offers: readonly Offer[], options?: CallOptions): Promise<OfferRefusal[]>
  setPrices(prices: readonly { externalId: string; price: number }[], options?: CallOptions): Promise<OfferRefusal[]>
  setStock(stock: readonly { externalId: string; quantity: number }[], options?: CallOptions): Promise<OfferRefusal[]>
  /** Ends a listing; one that is not there has ended. */
  endOffer(externalId: string, options?: CallOptions): Promise<void>
  /** @param cursor of the last page; undefined for the beginning */
  orders(cursor: string | undefined, options?: CallOptions): Promise<MarketplaceOrders>
  /** Says that the merchant delivers. @param reference the merchant's number of the order */
  confirm(externalId: string, reference: string, options?: CallOptions): Promise<void>
  /** Says that the merchant does not, and why. */
  reject(externalId: string, reason: string, options?: CallOptions): Promise<void>
  /** The order that a webhook tells of. @throws E_MARKETPLACE_WEBHOOK when it was not the marketplace who called */
  readWebhook(call: WebhookCall): MarketplaceOrder
}
