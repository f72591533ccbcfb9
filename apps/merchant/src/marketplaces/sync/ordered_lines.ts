import type { MarketplaceOrder } from '../connector/marketplace_connector.ts'

/** A product that is listed under one of the order's numbers. */
export interface ListedProduct {
  externalId: string
  productId: number
  merchantId: number
  sku: string
  title: string
  status: string
}

/** One line, of a product of ours, at the price that its buyer saw. */
export interface OrderedLine extends ListedProduct {
  quantity: number
  unitPrice: number
}

/** Pieces of one line at most, as in our own checkout. */
const MOST_PIECES = 1_000
/** Lines of one order at most. */
const MOST_LINES = 100
/** The dearest piece. */
const MOST_PRICE = 100_000

/** What was ordered, in our terms; or why it cannot be delivered, whatever is in stock. */
export function linesOf(order: MarketplaceOrder, listed: readonly ListedProduct[]): OrderedLine[] | string {
  const products = new Map(listed.map((product) => [product.externalId, product]))
  if (order.lines.length === 0 || order.lines.length > MOST_LINES) return `an order has 1 to ${MOST_LINES} lines`
  const lines: OrderedLine[] = []
  for (const { externalId, quantity, unitPrice } of order.lines) {
    const product = products.get(externalId)
    if (!product) return `nothing is listed as ${externalId.slice(0, 100)}`
    if (product.status !== 'active') return `${product.sku} is no longer for sale`
    if (!(quantity >= 1 && quantity <= MOST_PIECES))
      return `1 to ${MOST_PIECES} pieces of ${product.sku} can be ordered`
    if (!(unitPrice >= 0 && unitPrice <= MOST_PRICE)) return `${unitPrice} is no price of ${product.sku}`
    lines.push({ ...product, quantity, unitPrice })
  }
  return lines
}

/** The lines of each merchant, in the order of their numbers: an order of several merchants is an order at each. */
export function byMerchant(lines: readonly OrderedLine[]): [merchantId: number, lines: OrderedLine[]][] {
  const groups = Map.groupBy(lines, ({ merchantId }) => merchantId)
  return [...groups].sort(([one], [other]) => one - other)
}
