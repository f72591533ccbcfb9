import { type Static, Type } from 'typebox'
import { signatureOf } from '../signature.ts'
import { readAgreed } from './agreed_shape.ts'
import { eachItem } from './each_item.ts'
import type { MarketplaceAnswer, MarketplaceClient } from './marketplace_client.ts'
import type { MarketplaceConnector, MarketplaceOrder, OfferRefusal } from './marketplace_connector.ts'
import { MarketplaceError } from './marketplace_error.ts'
import { readSigned } from './webhook_call.ts'

/** Items that one call takes. */
const MOST_ITEMS = 50

const BazaarOrder = Type.Object({
  id: Type.String(),
  status: Type.Union([Type.Literal('new'), Type.Literal('confirmed'), Type.Literal('rejected')]),
  placed_at: Type.String(),
  buyer: Type.Object({ full_name: Type.String(), email: Type.String() }),
  ship_to: Type.Object({ country: Type.String() }),
  items: Type.Array(Type.Object({ sku: Type.String(), quantity: Type.Integer(), unit_price: Type.String() })),
})

const BazaarPage = Type.Object({ orders: Type.Array(BazaarOrder), next: Type.String(), more: Type.Boolean() })

const BazaarResults = Type.Object({
  results: Type.Array(
    Type.Object({
      sku: Type.String(),
      ok: Type.Boolean(),
      status: Type.Optional(Type.Integer()),
      message: Type.Optional(Type.String()),
    }),
  ),
})

/** How a seller is known there. */
export interface BazaarOptions {
  slug: string
  client: MarketplaceClient
  secret: string
}

/** A marketplace of resources: decimal prices as text, batches of fifty, cursors, signatures in headers. */
export function createBazaarConnector({ slug, client, secret }: BazaarOptions): MarketplaceConnector {
  async function call(method: string, path: string, body: unknown, signal: AbortSignal | undefined) {
    const text = body === undefined ? '' : JSON.stringify(body)
    const answer = await client.call((at) => {
      const seconds = Math.floor(at / 1_000)
      const signature = signatureOf(secret, { at: seconds * 1_000, method, path, body: text })
      const headers = { 'x-bazaar-timestamp': String(seconds), 'x-bazaar-signature': signature }
      return { method, path, headers, ...(text && { body: text }) }
    }, signal)
    if (answer.status >= 400 && answer.status !== 404) throw refused(slug, answer)
    return answer
  }

  async function setAll(path: string, items: readonly object[], signal: AbortSignal | undefined) {
    const refusals: OfferRefusal[] = []
    for (let at = 0; at < items.length; at += MOST_ITEMS) {
      const { body } = await call('POST', path, { items: items.slice(at, at + MOST_ITEMS) }, signal)
      for (const { sku, ok, status, message } of readAgreed(slug, BazaarResults, body).results)
        if (!ok) refusals.push(refusalOf(sku, status, message))
    }
    return refusals
  }

  async function settle(id: string, what: string, body: object, signal: AbortSignal | undefined) {
    const answer = await call('POST', `/v1/orders/${encodeURIComponent(id)}/${what}`, body, signal)
    if (answer.status === 404) throw refused(slug, answer)
  }

  return {
    slug,
    async putOffers(offers, { signal } = {}) {
      const refusals = await eachItem(offers, async ({ externalId, title, price, quantity }) => {
        const path = `/v1/listings/${encodeURIComponent(externalId)}`
        const body = { title, price: price.toFixed(2), quantity }
        const failure = await call('PUT', path, body, signal).then(() => undefined, finalRefusal)
        return failure && refusalOf(externalId, failure.status, failure.message)
      })
      return refusals.filter((refusal) => refusal !== undefined)
    },
    setPrices: (prices, { signal } = {}) =>
      setAll(
        '/v1/prices',
        prices.map(({ externalId, price }) => ({ sku: externalId, price: price.toFixed(2) })),
        signal,
      ),
    setStock: (stock, { signal } = {}) =>
      setAll(
        '/v1/stock',
        stock.map(({ externalId, quantity }) => ({ sku: externalId, quantity })),
        signal,
      ),
    async endOffer(externalId, { signal } = {}) {
      await call('DELETE', `/v1/listings/${encodeURIComponent(externalId)}`, undefined, signal)
    },
    async orders(cursor, { signal } = {}) {
      const after = cursor === undefined ? '' : `&after=${encodeURIComponent(cursor)}`
      const { body } = await call('GET', `/v1/orders?limit=${MOST_ITEMS}${after}`, undefined, signal)
      const { orders, next, more } = readAgreed(slug, BazaarPage, body)
      return { orders: orders.map(orderOf), cursor: next, hasMore: more }
    },
    confirm: (id, reference, { signal } = {}) => settle(id, 'confirmation', { orderNumber: reference }, signal),
    reject: (id, reason, { signal } = {}) => settle(id, 'rejection', { reason }, signal),
    readWebhook: (webhook) => orderOf(readAgreed(slug, BazaarOrder, readSigned(webhook, secret, client.now))),
  }
}

function orderOf({ id, status, placed_at, buyer, ship_to, items }: Static<typeof BazaarOrder>): MarketplaceOrder {
  return {
    externalId: id,
    placedAt: Date.parse(placed_at),
    status,
    buyer: { name: buyer.full_name, email: buyer.email },
    country: ship_to.country,
    lines: items.map(({ sku, quantity, unit_price }) => ({
      externalId: sku,
      quantity,
      unitPrice: Number(unit_price),
    })),
  }
}

function refusalOf(externalId: string, status: number | undefined, message = ''): OfferRefusal {
  return { externalId, reason: status === 404 ? 'unknown' : 'refused', message }
}

/** What a marketplace does not want of one product; whatever else went wrong concerns the call. */
function finalRefusal(error: unknown): MarketplaceError {
  if (error instanceof MarketplaceError && error.code === 'E_MARKETPLACE_REFUSED' && error.status === 422) return error
  throw error
}

function refused(slug: string, { status, body }: MarketplaceAnswer): MarketplaceError {
  const { message } = (body['error'] ?? {}) as { message?: string }
  return new MarketplaceError('E_MARKETPLACE_REFUSED', `${slug} refuses: ${message ?? status}`, { status })
}
