import { isSigned } from '../signature.ts'
import { type SimulatedOrder, SimulatedRefusal, type SimulatedShop } from './simulated_shop.ts'
import { parseBody, type Wire, type WireAnswer, type WireParts, type WireRequest } from './wire.ts'

/** Items of one call at most, and orders of one page. */
const MOST_ITEMS = 50

/** A marketplace with resources, decimal prices as text, batches, cursors, and a signature in headers; it refuses with 4xx, and 429 with Retry-After. */
export function createBazaarWire(parts: WireParts): Wire {
  return (request) => {
    if (!isAuthentic(request, parts)) return refusal(401, 'unauthorized', 'the signature does not fit')
    const wait = parts.limit()
    if (wait > 0)
      return {
        ...refusal(429, 'too_many_requests', 'slow down'),
        headers: { 'retry-after': String(Math.ceil(wait / 1_000)) },
      }
    try {
      return answer(request, parts.shop)
    } catch (error) {
      if (error instanceof SimulatedRefusal) return refusal(error.status, 'refused', error.message)
      throw error
    }
  }
}

function isAuthentic({ headers, method, target, body }: WireRequest, { secret, now }: WireParts): boolean {
  const at = Number(headers['x-bazaar-timestamp']) * 1_000
  return isSigned(secret, { at, method, path: target, body }, String(headers['x-bazaar-signature']), now())
}

function answer(request: WireRequest, shop: SimulatedShop): WireAnswer {
  const [resource, id, action] = request.path
    .replace(/^\/v1\//, '')
    .split('/')
    .map(decodeURIComponent)
  const route = `${request.method} ${resource}${action ? `/${action}` : ''}`
  const body = parseBody(request.body) ?? {}
  switch (route) {
    case 'PUT listings':
      shop.list({
        sku: id ?? '',
        title: String(body['title']),
        price: Number(body['price']),
        quantity: Number(body['quantity']),
      })
      return { status: 200, body: { sku: id } }
    case 'DELETE listings':
      shop.end(id ?? '')
      return { status: 200, body: { sku: id } }
    case 'POST prices':
      return each(body, (item) => shop.setPrice(String(item['sku']), Number(item['price'])))
    case 'POST stock':
      return each(body, (item) => shop.setQuantity(String(item['sku']), Number(item['quantity'])))
    case 'GET orders':
      return orders(request.query, shop)
    case 'POST orders/confirmation':
      shop.settle(id ?? '', 'confirmed', String(body['orderNumber']))
      return { status: 200, body: { id } }
    case 'POST orders/rejection':
      shop.settle(id ?? '', 'rejected', String(body['reason']))
      return { status: 200, body: { id } }
    default:
      return refusal(404, 'not_found', `there is no ${route}`)
  }
}

/** Each item by itself: one that is refused leaves the others as they are. */
function each(body: Record<string, unknown>, apply: (item: Record<string, unknown>) => void): WireAnswer {
  const { items } = body
  if (!Array.isArray(items) || items.length > MOST_ITEMS)
    return refusal(400, 'bad_request', `items are a list of at most ${MOST_ITEMS}`)
  const results = items.map((item: Record<string, unknown>) => {
    try {
      apply(item)
      return { sku: item['sku'], ok: true }
    } catch (error) {
      if (!(error instanceof SimulatedRefusal)) throw error
      return { sku: item['sku'], ok: false, status: error.status, message: error.message }
    }
  })
  return { status: 200, body: { results } }
}

function orders(query: URLSearchParams, shop: SimulatedShop): WireAnswer {
  const after = Number(Buffer.from(query.get('after') ?? '', 'base64url').toString() || '0')
  const limit = Math.min(Number(query.get('limit') ?? MOST_ITEMS), MOST_ITEMS)
  if (!(after >= 0) || !(limit >= 1)) return refusal(400, 'bad_request', 'no such cursor or limit')
  const page = shop.changedAfter(after, limit)
  const last = page.orders.at(-1)?.sequence ?? after
  const next = Buffer.from(String(last)).toString('base64url')
  return { status: 200, body: { orders: page.orders.map(bazaarOrder), next, more: page.hasMore } }
}

/** An order in the words of this marketplace; also what its webhook carries. */
export function bazaarOrder({ id, placedAt, buyer, lines, status }: SimulatedOrder) {
  return {
    id,
    status,
    placed_at: new Date(placedAt).toISOString(),
    buyer: { full_name: buyer.name, email: buyer.email },
    ship_to: { country: buyer.country },
    items: lines.map(({ sku, quantity, unitPrice }) => ({ sku, quantity, unit_price: unitPrice.toFixed(2) })),
  }
}

function refusal(status: number, code: string, message: string): WireAnswer {
  return { status, body: { error: { code, message } } }
}
