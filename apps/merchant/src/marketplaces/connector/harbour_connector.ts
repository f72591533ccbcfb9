import { newId } from '@tailwater/core'
import { type Static, Type } from 'typebox'
import { signatureOf } from '../signature.ts'
import { readAgreed } from './agreed_shape.ts'
import { eachItem } from './each_item.ts'
import type { MarketplaceAnswer, MarketplaceClient } from './marketplace_client.ts'
import type { MarketplaceConnector, MarketplaceOrder, OfferRefusal } from './marketplace_connector.ts'
import { MarketplaceError } from './marketplace_error.ts'
import { readSigned } from './webhook_call.ts'

const HarbourOrder = Type.Object({
  ref: Type.String(),
  mark: Type.Integer(),
  state: Type.Integer({ minimum: 0, maximum: 2 }),
  time: Type.Integer(),
  customer: Type.String(),
  country: Type.String(),
  lines: Type.Array(Type.Tuple([Type.String(), Type.Integer(), Type.Integer()])),
})

const HarbourPage = Type.Object({ orders: Type.Array(HarbourOrder), page: Type.Integer(), pages: Type.Integer() })

const HarbourFailure = Type.Object({
  ok: Type.Literal(false),
  error: Type.Object({ code: Type.Integer(), message: Type.String(), retryInMs: Type.Optional(Type.Number()) }),
})

/** Its numbers of errors: those that have to do with HTTP begin at a thousand. */
const ERROR = 1_000
const TOO_MANY = ERROR + 429
const UNKNOWN = 404
/** What it does not want of one product. */
const INVALID = 422
const STATES = ['new', 'confirmed', 'rejected'] as const

/** How a seller is known there. */
export interface HarbourOptions {
  slug: string
  client: MarketplaceClient
  secret: string
}

/** A marketplace of actions: one address, one product a call, prices in hundredths, numbered pages, signatures in the query, 200 whatever happens. */
export function createHarbourConnector({ slug, client, secret }: HarbourOptions): MarketplaceConnector {
  async function act(action: string, params: object, signal: AbortSignal | undefined): Promise<unknown> {
    const body = JSON.stringify({ action, params })
    const answer = await client.call((at) => signed(secret, at, body), signal, limitOf)
    if (answer.body['ok'] === true) return answer.body['result']
    const { error } = readAgreed(slug, HarbourFailure, answer.body)
    throw new MarketplaceError('E_MARKETPLACE_REFUSED', `${slug} refuses: ${error.message}`, {
      status: error.code - ERROR,
    })
  }

  /** Each product by itself, and what was refused of them. */
  async function each<Item extends { externalId: string }>(
    items: readonly Item[],
    perform: (item: Item) => Promise<unknown>,
  ): Promise<OfferRefusal[]> {
    const refusals = await eachItem(items, (item) =>
      perform(item).then(
        () => undefined,
        (error) => refusalOf(item.externalId, error),
      ),
    )
    return refusals.filter((refusal) => refusal !== undefined)
  }

  return {
    slug,
    putOffers: (offers, { signal } = {}) =>
      each(offers, ({ externalId, title, price, quantity }) =>
        act('listing.put', { ref: externalId, name: title, cents: cents(price), available: quantity }, signal),
      ),
    setPrices: (prices, { signal } = {}) =>
      each(prices, ({ externalId, price }) => act('price.set', { ref: externalId, cents: cents(price) }, signal)),
    setStock: (stock, { signal } = {}) =>
      each(stock, ({ externalId, quantity }) => act('stock.set', { ref: externalId, available: quantity }, signal)),
    async endOffer(externalId, { signal } = {}) {
      // One that is not there has ended.
      await each([{ externalId }], () => act('listing.end', { ref: externalId }, signal))
    },
    async orders(cursor, { signal } = {}) {
      const since = Number(cursor ?? 0)
      return pageOf(readAgreed(slug, HarbourPage, await act('orders.list', { since, page: 1 }, signal)), since)
    },
    async confirm(ref, reference, { signal } = {}) {
      await act('order.confirm', { ref, reference }, signal)
    },
    async reject(ref, why, { signal } = {}) {
      await act('order.reject', { ref, why }, signal)
    },
    readWebhook: (webhook) => orderOf(readAgreed(slug, HarbourOrder, readSigned(webhook, secret, client.now))),
  }
}

function signed(secret: string, at: number, body: string) {
  const nonce = newId()
  const sign = signatureOf(secret, { at, method: 'POST', path: `/rpc?nonce=${nonce}`, body })
  return { method: 'POST', path: `/rpc?nonce=${nonce}&time=${at}&sign=${sign}`, body }
}

function limitOf({ body }: MarketplaceAnswer): number | undefined {
  const error = body['error'] as { code?: number; retryInMs?: number } | undefined
  return error?.code === TOO_MANY ? Math.min(error.retryInMs ?? 1_000, 60_000) : undefined
}

const cents = (price: number) => Math.round(price * 100)

function refusalOf(externalId: string, error: unknown): OfferRefusal {
  if (!(error instanceof MarketplaceError) || error.code !== 'E_MARKETPLACE_REFUSED') throw error
  if (error.status !== UNKNOWN && error.status !== INVALID) throw error
  return { externalId, reason: error.status === UNKNOWN ? 'unknown' : 'refused', message: error.message }
}

/**
 * An order that changes while the pages are read moves to the end, and one behind it moves up, from a page that is yet to be read to one that was. So it is always
 * the first page that is asked for, counted from the mark of the last order that was read, and none is left out.
 */
function pageOf({ orders, page, pages }: Static<typeof HarbourPage>, since: number) {
  const last = orders.at(-1)?.mark ?? since
  return { orders: orders.map(orderOf), cursor: String(last), hasMore: page < pages }
}

function orderOf({ ref, state, time, customer, country, lines }: Static<typeof HarbourOrder>): MarketplaceOrder {
  const [, name, email] = /^(.*) <([^<>]*)>$/.exec(customer) ?? [undefined, customer, '']
  return {
    externalId: ref,
    placedAt: time,
    status: STATES[state]!,
    buyer: { name: name ?? '', email: email ?? '' },
    country,
    lines: lines.map(([externalId, quantity, price]) => ({ externalId, quantity, unitPrice: price / 100 })),
  }
}
