import { type FieldError, problem } from '@tailwater/http'
import type { Queryable } from '@tailwater/postgres'
import { amountOf, sumAmounts } from './money.ts'
import type { OrderStatements } from './order_statements.ts'
import type { Pieces } from './stock.ts'

/** What somebody wants to buy. */
export interface CheckoutRequest {
  merchantId: number
  customerId: number
  /** Where it goes; the customer's own country when not given. */
  country?: string | undefined
  marketplaceId?: number | undefined
  lines: readonly Pieces[]
  /** The provider's token for the customer's card. */
  token: string
}

/** One line at today's price. */
export interface QuotedLine extends Pieces {
  sku: string
  title: string
  unitPrice: number
  amount: number
}

/** An order as it would be, priced once: the amount authorised is the amount written. */
export interface Quote {
  currency: string
  country: string
  lines: QuotedLine[]
  total: number
}

interface PricedProduct {
  id: number
  sku: string
  title: string
  price: number
  status: string
}

/**
 * Prices an order.
 * @throws E_REFERENCE naming each field that points at something the merchant does not have or does not sell
 */
export async function quoteOrder(
  database: Queryable,
  statements: OrderStatements,
  request: CheckoutRequest,
): Promise<Quote> {
  const [parties, products] = await Promise.all([
    database.query<{ currency: string; country: string | null; hasMarketplace: boolean }>(statements.parties, [
      request.merchantId,
      request.customerId,
      request.marketplaceId ?? null,
    ]),
    database.query<PricedProduct>(statements.pricesOfProducts, [
      request.lines.map((line) => line.productId),
      request.merchantId,
    ]),
  ])
  const party = parties.rows[0]
  const priced = new Map(products.rows.map((product) => [product.id, product]))
  const errors = [...partyFaults(request, party), ...lineFaults(request, priced)]
  if (errors.length > 0) throw problem(422, 'E_REFERENCE', 'The order names things that are not for sale.', { errors })
  const lines = request.lines.map((line) => quoteLine(line, priced.get(line.productId)!))
  return {
    currency: party!.currency,
    country: request.country ?? party!.country!,
    lines,
    total: sumAmounts(lines.map((line) => line.amount)),
  }
}

function* partyFaults(
  request: CheckoutRequest,
  party: { country: string | null; hasMarketplace: boolean } | undefined,
): Generator<FieldError> {
  if (!party?.country) yield unknown('/body/customerId', 'there is no such customer')
  if (request.marketplaceId !== undefined && !party?.hasMarketplace)
    yield unknown('/body/marketplaceId', 'there is no such marketplace')
}

function* lineFaults({ lines }: CheckoutRequest, priced: Map<number, PricedProduct>): Generator<FieldError> {
  for (const [index, line] of lines.entries()) {
    const product = priced.get(line.productId)
    if (!product) yield unknown(`/body/lines/${index}/productId`, 'there is no such product')
    else if (product.status !== 'active') yield unknown(`/body/lines/${index}/productId`, 'the product is not for sale')
  }
}

function unknown(path: string, message: string): FieldError {
  return { path, message, code: 'reference' }
}

function quoteLine({ productId, quantity }: Pieces, { sku, title, price }: PricedProduct): QuotedLine {
  return { productId, quantity, sku, title, unitPrice: price, amount: amountOf(price, quantity) }
}
