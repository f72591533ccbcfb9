import type { Mischief } from './mischief.ts'
import { SimulatedRefusal, type SimulatedShop } from './simulated_shop.ts'
import { parseBody, type WireAnswer, type WireRequest } from './wire.ts'

/** One that is steered. */
export interface ControlledStall {
  shop: SimulatedShop
  /** Told of each order; without one the seller must ask. */
  webhookUrl: string | undefined
}

/** All that are simulated, by slug. */
export type ControlledStalls = ReadonlyMap<string, ControlledStall>

/**
 * What steers the simulation, for tests and the curious; only over the loopback address.
 *
 * - `GET /control/SLUG`: its listings, when it was told of each, and its orders
 * - `POST /control/SLUG/orders` `{ buyer?, lines: [{ sku, quantity }] }`: somebody buys
 * - `PATCH /control/SLUG` `{ webhookUrl }`: where its orders are told from now on, as a seller says it in the marketplace's back office
 * - `PATCH /control/behaviour` `{ latency?, errorRate?, rateLimit?, ordersPerMinute? }`: and what is so now
 */
export function answerControl(request: WireRequest, stalls: ControlledStalls, mischief: Mischief): WireAnswer {
  const [, first = '', second] = request.path.split('/')
  const body = parseBody(request.body) ?? {}
  if (request.method === 'PATCH' && first === 'behaviour') return behave(body, mischief)
  const stall = stalls.get(first)
  if (!stall) return { status: 404, body: { error: `there is no marketplace ${first}` } }
  const { shop } = stall
  if (request.method === 'PATCH') {
    stall.webhookUrl = typeof body['webhookUrl'] === 'string' ? body['webhookUrl'] : undefined
    return { status: 200, body: { webhookUrl: stall.webhookUrl } }
  }
  if (request.method === 'GET')
    return { status: 200, body: { listings: shop.listings, toldAt: shop.toldAt, orders: shop.orders } }
  if (request.method === 'POST' && second === 'orders') return buy(body, shop)
  return { status: 404, body: { error: 'no such control' } }
}

function behave(body: Record<string, unknown>, mischief: Mischief): WireAnswer {
  const names = Object.keys(mischief) as (keyof Mischief)[]
  for (const name of names) {
    const given = body[name]
    if (typeof given === 'number' && given >= 0) mischief[name] = given
  }
  return { status: 200, body: mischief }
}

const ANYBODY = { name: 'Robin Doe', email: 'robin@example.com', country: 'United Kingdom' }

function buy(body: Record<string, unknown>, shop: SimulatedShop): WireAnswer {
  const lines = body['lines'] as { sku: string; quantity: number }[]
  const buyer = { ...ANYBODY, ...(body['buyer'] as object | undefined) }
  try {
    return { status: 201, body: shop.place(buyer, lines) }
  } catch (error) {
    if (error instanceof SimulatedRefusal) return { status: error.status, body: { error: error.message } }
    throw error
  }
}
