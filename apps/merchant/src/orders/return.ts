import { createHash } from 'node:crypto'
import type { JobKind } from '@tailwater/core'
import { type FieldError, problem } from '@tailwater/http'
import type { Database, SqlExecutor, Transaction } from '@tailwater/postgres'
import type { Scope } from '../accounts/caller.ts'
import type { AuditTrail } from '../audit/audit_trail.ts'
import type { ShopChanges } from '../caches/shop_changes.ts'
import { type ShopEvents, stockChanged } from '../events/shop_events.ts'
import { MARKETPLACE_PROVIDER, type PaymentProvider, type RefundRequest } from '../payments/payment_provider.ts'
import { type Answer, hashRequest, type Idempotency } from './idempotency.ts'
import { type LockedOrder, lockOrder, putBack, type ReturnableLine, readReturnableLines } from './locked_order.ts'
import { amountOf, sumAmounts } from './money.ts'
import { readOrder } from './order_reading.ts'
import type { OrderStatements } from './order_statements.ts'
import type { StockStatements } from './stock.ts'

/** What returning is made of. */
export interface ReturnParts {
  database: Database
  statements: OrderStatements
  stock: StockStatements
  idempotency: Idempotency
  payments: PaymentProvider
  refund: JobKind<RefundRequest, SqlExecutor>
  changes: ShopChanges
  events: ShopEvents
  audit: AuditTrail
}

/** So many pieces of one line of the order. */
export interface ReturnedLine {
  ordinal: number
  quantity: number
}

/** What is to be taken back. */
export interface ReturnRequest {
  orderId: number
  scope: Scope
  /** What comes back; everything that has not yet when undefined. */
  lines: readonly ReturnedLine[] | undefined
  /** The idempotency key, if the client gave one. */
  key: string | undefined
  /** Who takes it back. */
  actor: string
}

/**
 * Takes pieces of an order back: an order of kind `return` with negative lines, the stock and the money given back.
 *
 * The order is locked first, so that two returns of it never take the same piece back twice. All of it is one
 * transaction, the provider is told by a job of it; so a refused return leaves nothing, not even its key.
 *
 * @throws E_NOT_FOUND, E_ORDER_NOT_RETURNABLE, E_RETURN_TOO_MUCH, E_IDEMPOTENCY_KEY_REUSED
 */
export async function returnOrder(parts: ReturnParts, request: ReturnRequest): Promise<Answer> {
  const { database, statements, idempotency } = parts
  const { orderId, scope, lines, key } = request
  return database.transaction(
    async (tx) => {
      const order = await lockOrder(tx, statements, orderId, scope)
      const requestHash = hashRequest('returnOrder', [orderId, lines?.map((line) => [line.ordinal, line.quantity])])
      const claim = key === undefined ? undefined : { merchantId: order.merchantId, key, requestHash }
      const answered = claim && (await idempotency.claim(tx, claim))
      if (answered) return answered
      const returnId = await writeReturn(tx, parts, order, lines)
      const { merchantId } = order
      const details = { returnId }
      const entry = { merchantId, actor: request.actor, action: 'order.returned', subject: `order:${orderId}`, details }
      await parts.audit.record(tx, entry)
      const answer = { status: 201, body: await readOrder(tx, statements, returnId, null) }
      if (claim) await idempotency.settle(tx, claim, answer, returnId)
      return answer
    },
    { retries: 2 },
  )
}

const RETURNABLE = new Set(['placed', 'paid', 'completed'])

async function writeReturn(
  tx: Transaction,
  parts: ReturnParts,
  order: LockedOrder,
  lines: readonly ReturnedLine[] | undefined,
): Promise<number> {
  if (order.kind !== 'order' || !RETURNABLE.has(order.status))
    throw problem(409, 'E_ORDER_NOT_RETURNABLE', `This ${order.kind} is ${order.status}: it cannot be returned.`)
  const returnable = await readReturnableLines(tx, parts.statements, order.id)
  const back = chooseLines(returnable, lines)
  const total = sumAmounts(back.map((line) => amountOf(line.unitPrice, line.quantity)))
  const returnId = await insertReturn(tx, parts.statements, order.id, total, back)
  const changed = await putBack(tx, parts.stock, order, back)
  const isWhole = sumPiecesOf(returnable) === sumPiecesOf(back)
  if (isWhole) await tx.query(parts.statements.setStatus, [order.id, 'returned'])
  await refundPayment(tx, parts, order, { returnId, total, isWhole })
  const { id: orderId, merchantId } = order
  await parts.changes.order(tx, merchantId, changed)
  const returned = { topic: 'order.returned', body: { orderId, merchantId, returnId } } as const
  await parts.events.publish(tx, [returned, ...stockChanged(merchantId, changed)])
  return returnId
}

function sumPiecesOf(lines: readonly ReturnableLine[]): number {
  return lines.reduce((sum, line) => sum + line.quantity, 0)
}

function chooseLines(
  returnable: readonly ReturnableLine[],
  wanted: readonly ReturnedLine[] | undefined,
): ReturnableLine[] {
  const left = returnable.filter((line) => line.quantity > 0)
  if (left.length === 0) throw problem(409, 'E_ORDER_NOT_RETURNABLE', 'Nothing of the order is left to return.')
  if (!wanted) return left
  const byOrdinal = new Map(left.map((line) => [line.ordinal, line]))
  const errors = [...lineFaults(wanted, byOrdinal)]
  if (errors.length > 0) throw problem(422, 'E_RETURN_TOO_MUCH', 'More would come back than was bought.', { errors })
  return wanted.map(({ ordinal, quantity }) => ({ ...byOrdinal.get(ordinal)!, quantity }))
}

function* lineFaults(wanted: readonly ReturnedLine[], left: Map<number, ReturnableLine>): Generator<FieldError> {
  const seen = new Set<number>()
  for (const [index, { ordinal, quantity }] of wanted.entries()) {
    const path = `/body/lines/${index}`
    const bought = left.get(ordinal)?.quantity ?? 0
    if (seen.has(ordinal)) yield { path: `${path}/ordinal`, message: 'the line is given twice', code: 'duplicate' }
    else if (bought === 0)
      yield { path: `${path}/ordinal`, message: 'no such line is left to return', code: 'reference' }
    else if (quantity > bought)
      yield { path: `${path}/quantity`, message: `only ${bought} can come back`, code: 'maximum' }
    seen.add(ordinal)
  }
}

async function insertReturn(
  tx: Transaction,
  statements: OrderStatements,
  orderId: number,
  total: number,
  lines: readonly ReturnableLine[],
): Promise<number> {
  const { rows } = await tx.query<{ id: number }>(statements.insertReturn, [
    orderId,
    -total,
    lines.map((line) => line.ordinal),
    lines.map((line) => line.quantity),
  ])
  return rows[0]!.id
}

interface Refund {
  returnId: number
  total: number
  isWhole: boolean
}

/** Imported orders have no payment of ours, so there is nothing to give back for them. */
async function refundPayment(tx: Transaction, parts: ReturnParts, order: LockedOrder, refund: Refund): Promise<void> {
  const { statements } = parts
  const { rows } = await tx.query<{ reference: string; provider: string }>(statements.payment, [order.id])
  if (!rows[0] || refund.total === 0) return
  const { reference: of, provider } = rows[0]
  const reference = createHash('sha256').update(`${of}\n${refund.returnId}`).digest('hex').slice(0, 40)
  await tx.query(statements.insertRefund, [refund.returnId, provider, reference, refund.total])
  if (refund.isWhole) await tx.query(statements.setPaymentStatus, [order.id, 'refunded'])
  // A marketplace gives its buyers' money back itself.
  if (provider === MARKETPLACE_PROVIDER) return
  await parts.refund.enqueue({ reference, of, amount: refund.total }, { tx })
}
