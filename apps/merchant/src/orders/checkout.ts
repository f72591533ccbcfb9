import { createHash } from 'node:crypto'
import { hasCode, type JobKind, toError } from '@tailwater/core'
import { type FieldError, problem } from '@tailwater/http'
import type { Database, SqlExecutor, Transaction } from '@tailwater/postgres'
import type { ShopChanges } from '../caches/shop_changes.ts'
import { explainConstraints } from '../database/constraint.ts'
import { type ShopEvents, stockChanged } from '../events/shop_events.ts'
import type { PaymentProvider } from '../payments/payment_provider.ts'
import { type Answer, answerOfRefusal, type Claim, type Idempotency, isRefusal } from './idempotency.ts'
import type { Order } from './order.ts'
import type { OrderFlow } from './order_flow.ts'
import { orderPlaced } from './order_placed.ts'
import type { OrderStatements } from './order_statements.ts'
import { type CheckoutRequest, type Quote, quoteOrder } from './quote.ts'
import { reserveStock, type Shortage, type StockStatements, sumPieces } from './stock.ts'

/*
 * Checkout: from a basket to a confirmed order, whole at every instant.
 *
 * The card is charged by somebody else's system, which no transaction of ours covers and during whose seconds no lock
 * of ours may be held. So:
 *
 *   1. claim   the idempotency key, committed: from here on a crash leaves a trace.
 *   2. quote   prices, once.
 *   3. authorise at the provider, under a reference derived from the key: asking again finds the same authorisation.
 *   4. confirm in one transaction: stock, order, lines, payment, the jobs that follow and the answer kept under the key.
 *
 * A crash before 4 commits leaves no order and perhaps an authorisation. The repeated key walks the same steps and uses
 * it; if nobody repeats it, `abandoned_checkouts.ts` settles the key and releases the money. A crash after 4 leaves
 * a confirmed order, and the repeated key gets its answer. Why this way: docs/decisions/0007-checkout.md.
 */

/** What checkout is made of. */
export interface CheckoutParts {
  database: Database
  statements: OrderStatements
  stock: StockStatements
  idempotency: Idempotency
  payments: PaymentProvider
  flow: OrderFlow
  release: JobKind<{ reference: string }, SqlExecutor>
  changes: ShopChanges
  events: ShopEvents
}

/** Places an order under an idempotency key. */
export type Checkout = (request: CheckoutRequest, claim: Claim, signal?: AbortSignal) => Promise<Answer>

/** The provider's reference of a claim's payment. The request is in it, so that two requests never share a payment. */
export function referenceOf({ merchantId, key, requestHash }: Claim): string {
  return createHash('sha256').update(`${merchantId}\n${key}\n`).update(requestHash).digest('hex').slice(0, 40)
}

/** Builds checkout out of its parts. */
export function createCheckout(parts: CheckoutParts): Checkout {
  const { database, idempotency } = parts

  async function confirm(request: CheckoutRequest, claim: Claim, signal?: AbortSignal): Promise<Answer> {
    const quote = await quoteOrder(database, parts.statements, request)
    const reference = referenceOf(claim)
    await authorise(parts.payments, quote, reference, request.token, signal)
    return database.transaction(
      async (tx) => {
        const answered = await idempotency.hold(tx, claim)
        if (answered) return leaveTo(tx, answered, reference)
        return writeOrder(tx, parts, { request, quote, claim, reference })
      },
      { retries: 2 },
    )
  }

  /** Somebody else answered this key meanwhile. What we authorised is theirs too, unless they refused. */
  async function leaveTo(tx: Transaction, answered: Answer, reference: string): Promise<Answer> {
    if (answered.status >= 400) await parts.release.enqueue({ reference }, { tx })
    return answered
  }

  async function refuse(claim: Claim, refusal: Answer): Promise<Answer> {
    return database.transaction(async (tx) => {
      const answered = await idempotency.hold(tx, claim)
      if (answered) return answered
      await parts.release.enqueue({ reference: referenceOf(claim) }, { tx })
      await idempotency.settle(tx, claim, refusal)
      return refusal
    })
  }

  return async (request, claim, signal) => {
    const answered = await explainConstraints(() => idempotency.claim(database, claim))
    if (answered) return answered
    try {
      return await confirm(request, claim, signal)
    } catch (error) {
      if (hasCode(error, 'E_COMMIT_UNKNOWN')) throw outcomeUnknown(error)
      if (!isRefusal(error)) throw error
      return refuse(claim, answerOfRefusal(error))
    }
  }
}

/** The connection was lost over the answer to COMMIT: only the key can tell, and a client may always ask it. */
function outcomeUnknown(cause: unknown) {
  return problem(503, 'E_OUTCOME_UNKNOWN', 'Repeat the request with the same key to hear what became of it.', {
    headers: { 'retry-after': '1' },
    cause,
  })
}

async function authorise(
  payments: PaymentProvider,
  quote: Quote,
  reference: string,
  token: string,
  signal?: AbortSignal,
) {
  const request = { reference, amount: quote.total, currency: quote.currency, token }
  const authorisation = await payments.authorise(request, signal ? { signal } : {}).catch((error: unknown) => {
    throw problem(503, 'E_PAYMENT_UNAVAILABLE', 'The payment provider cannot be reached. Repeat with the same key.', {
      headers: { 'retry-after': '5' },
      cause: toError(error),
    })
  })
  if (authorisation.status === 'declined') throw problem(402, 'E_PAYMENT_DECLINED', authorisation.reason)
  // Authorised before a crash, and repeated after a price changed: the refusal lets the money go.
  if (authorisation.amount !== quote.total)
    throw problem(409, 'E_PRICE_CHANGED', 'A price has changed since the checkout began. Place the order again.')
}

interface Confirmed {
  request: CheckoutRequest
  quote: Quote
  claim: Claim
  reference: string
}

async function writeOrder(tx: Transaction, parts: CheckoutParts, confirmed: Confirmed): Promise<Answer> {
  const { request, quote, claim } = confirmed
  const pieces = sumPieces(quote.lines)
  const shortages = await reserveStock(tx, parts.stock, pieces)
  if (shortages.length > 0) throw outOfStock(request, shortages)
  const order = await insertOrder(tx, parts, confirmed)
  await parts.flow.begin(tx, order)
  const answer = { status: 201, body: order }
  await parts.idempotency.settle(tx, claim, answer, order.id)
  const productIds = pieces.map(({ productId }) => productId)
  await parts.changes.order(tx, request.merchantId, productIds)
  await parts.events.publish(tx, [orderPlaced(order), ...stockChanged(request.merchantId, productIds)])
  return answer
}

async function insertOrder(tx: Transaction, parts: CheckoutParts, confirmed: Confirmed): Promise<Order> {
  const { request, quote, reference } = confirmed
  const { rows } = await tx.query<{ id: number; placedAt: Date }>(parts.statements.insert, [
    request.merchantId,
    request.customerId,
    request.marketplaceId ?? null,
    quote.country,
    quote.total,
    quote.lines.map((line) => line.productId),
    quote.lines.map((line) => line.sku),
    quote.lines.map((line) => line.title),
    quote.lines.map((line) => line.quantity),
    quote.lines.map((line) => line.unitPrice),
    parts.payments.name,
    reference,
    'placed',
    null,
    'authorised',
  ])
  return orderOf(confirmed, rows[0]!, parts.payments.name)
}

/** The order as `GET /api/orders/:id` would read it back. */
function orderOf(
  { request, quote, reference }: Confirmed,
  written: { id: number; placedAt: Date },
  provider: string,
): Order {
  return {
    id: written.id,
    merchantId: request.merchantId,
    kind: 'order',
    status: 'placed',
    customerId: request.customerId,
    marketplaceId: request.marketplaceId ?? null,
    returnsOrderId: null,
    externalId: null,
    country: quote.country,
    currency: quote.currency,
    total: quote.total,
    placedAt: written.placedAt,
    lines: quote.lines.map((line, index) => ({
      ordinal: index + 1,
      kind: 'sale',
      productId: line.productId,
      sku: line.sku,
      title: line.title,
      quantity: line.quantity,
      unitPrice: line.unitPrice,
      amount: line.amount,
    })),
    payment: { provider, reference, status: 'authorised', amount: quote.total },
  }
}

function outOfStock({ lines }: CheckoutRequest, shortages: readonly Shortage[]) {
  const left = new Map(shortages.map((shortage) => [shortage.productId, shortage.available]))
  const errors: FieldError[] = []
  for (const [index, { productId }] of lines.entries())
    if (left.has(productId))
      errors.push({
        path: `/body/lines/${index}/quantity`,
        message: `only ${left.get(productId)} left`,
        code: 'out-of-stock',
      })
  return problem(409, 'E_OUT_OF_STOCK', 'Not everything ordered is in stock.', { errors })
}
