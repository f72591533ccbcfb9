import type { Database, Transaction } from '@tailwater/postgres'
import type { ShopChanges } from '../../caches/shop_changes.ts'
import type { ShopEvent } from '../../events/shop_event.ts'
import { type ShopEvents, stockChanged } from '../../events/shop_events.ts'
import { amountOf, sumAmounts } from '../../orders/money.ts'
import type { OrderFlow } from '../../orders/order_flow.ts'
import { orderPlaced } from '../../orders/order_placed.ts'
import { readOrder } from '../../orders/order_reading.ts'
import type { OrderStatements } from '../../orders/order_statements.ts'
import { reserveStock, type Shortage, type StockStatements, sumPieces } from '../../orders/stock.ts'
import { MARKETPLACE_PROVIDER } from '../../payments/payment_provider.ts'
import type { MarketplaceOrder } from '../connector/marketplace_connector.ts'
import type { Connection } from './connection.ts'
import { plainText } from './foreign_text.ts'
import type { ImportStatements } from './import_statements.ts'
import { byMerchant, type ListedProduct, linesOf, type OrderedLine } from './ordered_lines.ts'
import type { RefusalNotices } from './refusal_notices.ts'
import type { Pushing } from './sync_jobs.ts'

/*
 * An order of a marketplace, on its way in. It comes by webhook and by asking, perhaps by both, perhaps many times; the row in `marketplace_orders` makes it one.
 *
 * Our stock is the truth: the pieces are reserved in the same transaction, and an order that cannot be filled is not taken but refused there, with its reason. Its buyer has paid at the marketplace, at
 * the price that stood there, which holds though it has changed since. Why so: docs/decisions/0026-marketplace-synchronisation.md.
 */

/** What taking orders in is made of. */
export interface ImportParts {
  database: Database
  statements: ImportStatements
  orders: OrderStatements
  stock: StockStatements
  flow: OrderFlow
  changes: ShopChanges
  events: ShopEvents
  pushing: Pick<Pushing, 'want'>
  refusals: RefusalNotices
}

/** What became of an order. */
export type ImportOutcome = 'accepted' | 'refused' | 'known'

/** Rolls back what was reserved of an order that cannot be filled. */
class Unfillable extends Error {}

/** Takes an order in, or refuses it; one that is known, or that we have refused already, changes nothing. */
export async function importOrder(
  parts: ImportParts,
  connection: Connection,
  order: MarketplaceOrder,
): Promise<ImportOutcome> {
  if (order.status === 'rejected') return 'known'
  const { database, statements } = parts
  const externalIds = order.lines.map(({ externalId }) => plainText(externalId, 100))
  const { rows: listed } = await database.query<ListedProduct>(statements.products, [connection.id, externalIds])
  const lines = linesOf(order, listed)
  const merchantIds = [...new Set(listed.map(({ merchantId }) => merchantId))]
  const refuse = (reason: string) =>
    database.transaction((tx) => refuseOrder(tx, parts, { connection, order, reason, merchantIds }))
  if (typeof lines === 'string') return refuse(lines)
  try {
    return await database.transaction((tx) => acceptOrder(tx, parts, { connection, order, lines, merchantIds }), {
      retries: 2,
    })
  } catch (error) {
    if (error instanceof Unfillable) return refuse(error.message)
    throw error
  }
}

interface Refused {
  connection: Connection
  order: MarketplaceOrder
  reason: string
  merchantIds: readonly number[]
}

interface Accepted extends Omit<Refused, 'reason'> {
  lines: readonly OrderedLine[]
}

async function receive(
  tx: Transaction,
  { statements }: ImportParts,
  { connection, order, merchantIds, reason }: Omit<Refused, 'reason'> & { reason: string | null },
): Promise<boolean> {
  const outcome = reason === null ? 'accepted' : 'refused'
  const placedAt = new Date(order.placedAt)
  const values = [connection.id, plainText(order.externalId, 100), outcome, reason, placedAt, merchantIds]
  return (await tx.query(statements.receive, values)).rows.length > 0
}

async function refuseOrder(tx: Transaction, parts: ImportParts, refused: Refused): Promise<ImportOutcome> {
  if (!(await receive(tx, parts, refused))) return 'known'
  await parts.refusals.tell(tx, refused)
  await parts.pushing.want(tx, [refused.connection.id])
  return 'refused'
}

async function acceptOrder(tx: Transaction, parts: ImportParts, accepted: Accepted): Promise<ImportOutcome> {
  const { connection, order, lines } = accepted
  if (!(await receive(tx, parts, { ...accepted, reason: null }))) return 'known'
  const shortages = await reserveStock(tx, parts.stock, sumPieces(lines))
  if (shortages.length > 0) throw new Unfillable(reasonOf(shortages, lines))
  const orderIds: number[] = []
  for (const [merchantId, own] of byMerchant(lines)) {
    const written = await writeOrder(tx, parts, { ...accepted, merchantId, lines: own })
    orderIds.push(written)
  }
  await tx.query(parts.statements.keepOrders, [connection.id, plainText(order.externalId, 100), orderIds])
  await parts.pushing.want(tx, [connection.id])
  return 'accepted'
}

function reasonOf(shortages: readonly Shortage[], lines: readonly OrderedLine[]): string {
  const skus = new Map(lines.map(({ productId, sku }) => [productId, sku]))
  return shortages.map(({ productId, available }) => `only ${available} of ${skus.get(productId)} left`).join('; ')
}

/** What of the order is one merchant's: an order like any other, that is paid already. */
async function writeOrder(
  tx: Transaction,
  parts: ImportParts,
  accepted: Accepted & { merchantId: number },
): Promise<number> {
  const { connection, order, lines, merchantId } = accepted
  const customer = await customerOf(tx, parts, accepted)
  const reference = `${connection.slug}/${plainText(order.externalId, 100)}`
  const { rows } = await tx.query<{ id: number }>(parts.orders.insert, [
    merchantId,
    customer.id,
    connection.id,
    countryOf(order),
    sumAmounts(lines.map(({ unitPrice, quantity }) => amountOf(unitPrice, quantity))),
    lines.map(({ productId }) => productId),
    lines.map(({ sku }) => sku),
    lines.map(({ title }) => title),
    lines.map(({ quantity }) => quantity),
    lines.map(({ unitPrice }) => unitPrice),
    MARKETPLACE_PROVIDER,
    `${reference}/${merchantId}`,
    'paid',
    reference,
    'captured',
  ])
  const { id } = rows[0]!
  const written = await readOrder(tx, parts.orders, id, null)
  await parts.flow.begin(tx, written)
  const productIds = [...new Set(lines.map(({ productId }) => productId))]
  await parts.changes.order(tx, merchantId, productIds)
  const paid: ShopEvent = { topic: 'order.paid', body: { orderId: id, merchantId } }
  await parts.events.publish(tx, [
    ...customer.news,
    orderPlaced(written),
    paid,
    ...stockChanged(merchantId, productIds),
  ])
  return id
}

/** A buyer is known again by the address that the marketplace gives. */
async function customerOf(tx: Transaction, parts: ImportParts, accepted: Accepted & { merchantId: number }) {
  const { connection, order, merchantId } = accepted
  const email = plainText(order.buyer.email, 254)
  const name = plainText(order.buyer.name, 200) || 'Unknown'
  const known = `${connection.slug}/${(email || plainText(order.externalId, 100)).toLowerCase()}`
  const values = [merchantId, known, email || null, name, countryOf(order)]
  const { rows } = await tx.query<{ id: number; isNew: boolean }>(parts.statements.customer, values)
  const { id, isNew } = rows[0]!
  const news: ShopEvent[] = isNew ? [{ topic: 'customer.created', body: { customerId: id, merchantId } }] : []
  return { id, news }
}

const countryOf = ({ country }: MarketplaceOrder) => plainText(country, 60) || 'Unknown'
