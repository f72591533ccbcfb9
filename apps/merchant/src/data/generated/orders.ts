import { drawQuantile, drawRank, drawWeighted, shareOut } from '../distribution.ts'
import type { Random } from '../random.ts'
import {
  ANONYMOUS_SHARE,
  CUSTOMER_CONCENTRATION,
  LINES_PER_RETURN,
  LINES_PER_SALE,
  PRODUCT_CONCENTRATION,
  QUANTITIES,
  RARE_QUANTITIES,
  RARE_QUANTITY_SHARE,
  RETURN_SHARE,
} from '../shape.ts'
import type { GeneratedProduct } from './catalogue.ts'
import type { GeneratedCustomer } from './customers.ts'
import { drawMerchant } from './merchants.ts'

/**
 * All orders and returns by column: 300,000 orders with 1,000,000 lines are 20 MB so, and some 300 MB as objects.
 * An order's id is its position plus one; its lines are those from `firstLine[at]` up to `firstLine[at + 1]`.
 */
export interface GeneratedOrders {
  /** Milliseconds since the epoch, ascending. */
  placedAt: Float64Array
  merchant: Uint8Array
  /** Position of the customer, or -1. */
  customer: Int32Array
  /** Position of the marketplace, or -1. */
  marketplace: Int8Array
  /** Position of the order that this return takes back, or -1 for an order. */
  returns: Int32Array
  /** Whether every piece of the order has been taken back. */
  returned: Uint8Array
  firstLine: Int32Array
  /** Position of the product. */
  product: Int32Array
  /** Pieces; negative in returns. */
  quantity: Int32Array
}

/** What orders are made from. */
export interface OrderInput {
  placedAt: Float64Array
  /** Lines of all orders together, exactly. */
  lines: number
  products: readonly GeneratedProduct[]
  customers: readonly GeneratedCustomer[]
  marketplaces: number
}

/** Share of the orders that come from a marketplace. */
const MARKETPLACE_SHARE = 0.25
/** How many of its latest orders a merchant takes returns of. */
const RETURN_WINDOW = 200

const drawSaleLines = drawQuantile([[0, 1], ...LINES_PER_SALE])
const drawReturnLines = drawQuantile([[0, 1], ...LINES_PER_RETURN])
const drawProductRank = drawRank(PRODUCT_CONCENTRATION)
const drawCustomerRank = drawRank(CUSTOMER_CONCENTRATION)
const drawCommonQuantity = drawWeighted(QUANTITIES)
const drawRareQuantity = drawQuantile(RARE_QUANTITIES)

/** Makes one order or return for each moment of `placedAt`, with exactly `lines` lines in all. */
export function generateOrders(random: Random, input: OrderInput): GeneratedOrders {
  const count = input.placedAt.length
  const isReturn = Uint8Array.from({ length: count }, () => (random.next() < RETURN_SHARE ? 1 : 0))
  const orders = emptyOrders(input, lineCounts(random, isReturn, input.lines))
  const shops = createShops(random, input)
  for (let at = 0; at < count; at++) {
    const shop = shops[drawMerchant(random)]!
    const taken = isReturn[at] ? findReturnable(random, orders, shop, linesOf(orders, at)) : -1
    if (taken >= 0) writeReturn(random, orders, at, taken)
    else writeSale(random, orders, at, shop, input)
  }
  return orders
}

function linesOf(orders: GeneratedOrders, at: number): number {
  return orders.firstLine[at + 1]! - orders.firstLine[at]!
}

/** Every order has a line; the rest is shared out in the measured proportions. */
function lineCounts(random: Random, isReturn: Uint8Array, total: number): Int32Array {
  const more = Float64Array.from(isReturn, (yes) => (yes ? drawReturnLines(random) : drawSaleLines(random)) - 1)
  return shareOut(total - isReturn.length, more).map((extra) => extra + 1)
}

function emptyOrders(input: OrderInput, lineCount: Int32Array): GeneratedOrders {
  const count = lineCount.length
  const firstLine = new Int32Array(count + 1)
  for (let at = 0; at < count; at++) firstLine[at + 1] = firstLine[at]! + lineCount[at]!
  return {
    placedAt: input.placedAt,
    merchant: new Uint8Array(count),
    customer: new Int32Array(count).fill(-1),
    marketplace: new Int8Array(count).fill(-1),
    returns: new Int32Array(count).fill(-1),
    returned: new Uint8Array(count),
    firstLine,
    product: new Int32Array(input.lines),
    quantity: new Int32Array(input.lines),
  }
}

/** A merchant's side of the generation: what it sells and to whom, best first, and its latest orders. */
interface Shop {
  position: number
  products: number[]
  customers: number[]
  latest: number[]
}

function createShops(random: Random, input: OrderInput): Shop[] {
  const shops: Shop[] = []
  const shopAt = (position: number) => (shops[position] ??= { position, products: [], customers: [], latest: [] })
  for (const [at, product] of input.products.entries()) {
    const shop = shopAt(product.merchant)
    // Drafts were never on sale; but a shop of a tiny dataset may have nothing else.
    if (product.status !== 'draft' || shop.products.length === 0) shop.products.push(at)
  }
  for (const [at, customer] of input.customers.entries()) shopAt(customer.merchant).customers.push(at)
  for (const shop of shops) {
    shuffle(random, shop.products)
    shuffle(random, shop.customers)
  }
  return shops
}

function shuffle(random: Random, values: number[]): void {
  for (let at = values.length - 1; at > 0; at--) {
    const other = random.integer(at + 1)
    ;[values[at], values[other]] = [values[other]!, values[at]!]
  }
}

function writeSale(random: Random, orders: GeneratedOrders, at: number, shop: Shop, input: OrderInput): void {
  orders.merchant[at] = shop.position
  if (random.next() >= ANONYMOUS_SHARE)
    orders.customer[at] = shop.customers[drawCustomerRank(random, shop.customers.length)]!
  if (random.next() < MARKETPLACE_SHARE) orders.marketplace[at] = random.integer(input.marketplaces)
  const start = orders.firstLine[at]!
  const end = orders.firstLine[at + 1]!
  for (let line = start; line < end; line++) {
    orders.product[line] = shop.products[drawProductRank(random, shop.products.length)]!
    orders.quantity[line] = drawQuantity(random)
  }
  shop.latest.push(at)
  if (shop.latest.length > RETURN_WINDOW) shop.latest.shift()
}

function drawQuantity(random: Random): number {
  return random.next() < RARE_QUANTITY_SHARE ? Math.round(drawRareQuantity(random)) : drawCommonQuantity(random)
}

/** A late order of the shop with at least `lines` lines that nothing has been taken back of yet; -1 when there is none. */
function findReturnable(random: Random, orders: GeneratedOrders, shop: Shop, lines: number): number {
  const { latest } = shop
  const from = random.integer(Math.max(1, latest.length))
  for (let step = 0; step < latest.length; step++) {
    const slot = (from + step) % latest.length
    const order = latest[slot]!
    if (linesOf(orders, order) < lines) continue
    latest.splice(slot, 1)
    return order
  }
  return -1
}

/** Takes back the first lines of an order; half the time all of their pieces. */
function writeReturn(random: Random, orders: GeneratedOrders, at: number, taken: number): void {
  orders.merchant[at] = orders.merchant[taken]!
  orders.customer[at] = orders.customer[taken]!
  orders.marketplace[at] = orders.marketplace[taken]!
  orders.returns[at] = taken
  const lines = linesOf(orders, at)
  const whole = random.next() < 0.5
  for (let step = 0; step < lines; step++) {
    const from = orders.firstLine[taken]! + step
    const to = orders.firstLine[at]! + step
    orders.product[to] = orders.product[from]!
    orders.quantity[to] = -(whole ? orders.quantity[from]! : 1 + random.integer(orders.quantity[from]!))
  }
  orders.returned[taken] = whole && lines === linesOf(orders, taken) ? 1 : 0
}
