import { isSigned } from '../signature.ts'
import { type SimulatedOrder, SimulatedRefusal, type SimulatedShop } from './simulated_shop.ts'
import { parseBody, type Wire, type WireAnswer, type WireParts, type WireRequest } from './wire.ts'

/** Orders of one page at most. */
const PAGE = 20
/** What an error's number begins with: the status that it would be elsewhere follows. */
const ERROR = 1_000
/** Nonces that are remembered. */
const MOST_NONCES = 10_000

/**
 * A marketplace with one address, to which actions are posted, one product each; prices in hundredths, numbered pages, the signature in the query with a nonce.
 * It answers 200 whatever happens, and says in the body what did; one who asks too often, too.
 */
export function createHarbourWire(parts: WireParts): Wire {
  const nonces = new Set<string>()

  function isAuthentic({ query, method, path, body }: WireRequest): boolean {
    const nonce = query.get('nonce') ?? ''
    const signed = { at: Number(query.get('time')), method, path: `${path}?nonce=${nonce}`, body }
    if (!isSigned(parts.secret, signed, query.get('sign') ?? '', parts.now())) return false
    if (nonce === '' || nonces.has(nonce)) return false
    nonces.add(nonce)
    if (nonces.size > MOST_NONCES) nonces.delete(nonces.values().next().value!)
    return true
  }

  return (request) => {
    if (request.path !== '/rpc' || request.method !== 'POST') return failure(404, 'post actions to /rpc')
    if (!isAuthentic(request)) return failure(401, 'bad signature, or a nonce used twice')
    const wait = parts.limit()
    if (wait > 0) return failure(429, 'too many actions', { retryInMs: Math.ceil(wait) })
    const { action, params } = parseBody(request.body) ?? {}
    try {
      const result = perform(String(action), (params ?? {}) as Record<string, unknown>, parts.shop)
      return result === undefined
        ? failure(404, `unknown action ${action}`)
        : { status: 200, body: { ok: true, result } }
    } catch (error) {
      if (error instanceof SimulatedRefusal) return failure(error.status, error.message)
      throw error
    }
  }
}

function perform(action: string, params: Record<string, unknown>, shop: SimulatedShop): object | undefined {
  const ref = String(params['ref'])
  switch (action) {
    case 'listing.put':
      shop.list({
        sku: ref,
        title: String(params['name']),
        price: Number(params['cents']) / 100,
        quantity: Number(params['available']),
      })
      return {}
    case 'listing.end':
      shop.end(ref)
      return {}
    case 'price.set':
      shop.setPrice(ref, Number(params['cents']) / 100)
      return {}
    case 'stock.set':
      shop.setQuantity(ref, Number(params['available']))
      return {}
    case 'orders.list':
      return listOrders(params, shop)
    case 'order.confirm':
      shop.settle(ref, 'confirmed', String(params['reference']))
      return {}
    case 'order.reject':
      shop.settle(ref, 'rejected', String(params['why']))
      return {}
    default:
      return undefined
  }
}

/** Changes after a mark, in numbered pages: whoever has read them all asks the next time with the mark of the last. */
function listOrders(params: Record<string, unknown>, shop: SimulatedShop): object {
  const since = Number(params['since'] ?? 0)
  const page = Number(params['page'] ?? 1)
  if (!(since >= 0) || !(page >= 1)) throw new SimulatedRefusal(400, 'since and page are numbers')
  const { orders } = shop.changedAfter(since, Number.POSITIVE_INFINITY)
  return {
    orders: orders.slice((page - 1) * PAGE, page * PAGE).map(harbourOrder),
    page,
    pages: Math.max(1, Math.ceil(orders.length / PAGE)),
  }
}

/** An order in the words of this marketplace; also what its webhook carries. */
export function harbourOrder({ id, sequence, placedAt, buyer, lines, status }: SimulatedOrder) {
  return {
    ref: id,
    mark: sequence,
    state: { new: 0, confirmed: 1, rejected: 2 }[status],
    time: placedAt,
    customer: `${buyer.name} <${buyer.email}>`,
    country: buyer.country,
    lines: lines.map(({ sku, quantity, unitPrice }) => [sku, quantity, Math.round(unitPrice * 100)]),
  }
}

function failure(status: number, message: string, more: object = {}): WireAnswer {
  return { status: 200, body: { ok: false, error: { code: ERROR + status, message, ...more } } }
}
