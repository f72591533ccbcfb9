import type { CopyValue } from '../copy_text.ts'
import { isoTime, money, type TableRows } from '../table_rows.ts'
import type { Dataset } from './dataset.ts'

const DAY = 86_400_000
/** Orders of the last days are paid but not yet delivered. */
const DELIVERY_DAYS = 2

/** Customers, orders, lines and payments of a dataset. */
export function orderTables(dataset: Dataset): TableRows[] {
  const totals = orderTotals(dataset)
  return [customerTable(dataset), orderTable(dataset, totals), lineTable(dataset), paymentTable(dataset, totals)]
}

/** What became of an order; returns are always completed. */
function statusOf({ orders, end }: Dataset, at: number): 'returned' | 'paid' | 'completed' {
  if (orders.returned[at]) return 'returned'
  return orders.placedAt[at]! > end - DELIVERY_DAYS * DAY ? 'paid' : 'completed'
}

/** Pieces of each product that orders not yet delivered hold in the house, less what of them was taken back. */
export function reservedPieces(dataset: Dataset): Int32Array {
  const { orders, products } = dataset
  const reserved = new Int32Array(products.length)
  for (let at = 0; at < orders.placedAt.length; at++) {
    const returns = orders.returns[at]!
    if (statusOf(dataset, returns < 0 ? at : returns) !== 'paid') continue
    for (let line = orders.firstLine[at]!; line < orders.firstLine[at + 1]!; line++)
      reserved[orders.product[line]!]! += orders.quantity[line]!
  }
  return reserved
}

/** Thousandths of a pound by order; negative for returns. */
function orderTotals({ orders, products }: Dataset): Float64Array {
  const totals = new Float64Array(orders.placedAt.length)
  for (let at = 0; at < totals.length; at++)
    for (let line = orders.firstLine[at]!; line < orders.firstLine[at + 1]!; line++)
      totals[at]! += orders.quantity[line]! * products[orders.product[line]!]!.price
  return totals
}

/** A customer exists since the first order, or since the shop opened when there is none. */
function customerTable({ customers, orders, start }: Dataset): TableRows {
  const since = new Float64Array(customers.length).fill(start)
  for (let at = orders.placedAt.length - 1; at >= 0; at--)
    if (orders.customer[at]! >= 0) since[orders.customer[at]!] = orders.placedAt[at]!
  return {
    table: 'customers',
    columns: ['id', 'merchant_id', 'email', 'name', 'country', 'created_at'],
    count: customers.length,
    rows: () =>
      customers.map(({ merchant, email, name, country }, at) => [
        at + 1,
        merchant + 1,
        email,
        name,
        country,
        isoTime(since[at]!),
      ]),
  }
}

function orderTable(dataset: Dataset, totals: Float64Array): TableRows {
  const { orders, customers } = dataset
  const columns = [
    'id',
    'merchant_id',
    'customer_id',
    'marketplace_id',
    'kind',
    'returns_order_id',
    'status',
    'country',
  ]
  const reference = (position: number) => (position < 0 ? null : position + 1)
  return {
    table: 'orders',
    columns: [...columns, 'total', 'placed_at', 'updated_at'],
    count: totals.length,
    *rows(): Iterable<readonly CopyValue[]> {
      for (let at = 0; at < totals.length; at++) {
        const customer = orders.customer[at]!
        const returns = orders.returns[at]!
        const country = customer < 0 ? 'United Kingdom' : customers[customer]!.country
        const placed = isoTime(orders.placedAt[at]!)
        const kind = returns < 0 ? 'order' : 'return'
        const status = returns < 0 ? statusOf(dataset, at) : 'completed'
        const head = [at + 1, orders.merchant[at]! + 1, reference(customer), reference(orders.marketplace[at]!), kind]
        yield [...head, reference(returns), status, country, money(totals[at]!), placed, placed]
      }
    },
  }
}

function lineTable({ orders, products }: Dataset): TableRows {
  return {
    table: 'order_lines',
    columns: [
      'order_id',
      'ordinal',
      'merchant_id',
      'product_id',
      'kind',
      'sku',
      'title',
      'quantity',
      'unit_price',
      'sold_at',
    ],
    count: orders.product.length,
    *rows() {
      for (let at = 0; at < orders.placedAt.length; at++) {
        const first = orders.firstLine[at]!
        const merchant = orders.merchant[at]! + 1
        const kind = orders.returns[at]! < 0 ? 'sale' : 'return'
        const sold = isoTime(orders.placedAt[at]!)
        for (let line = first; line < orders.firstLine[at + 1]!; line++) {
          const position = orders.product[line]!
          const { sku, title, price } = products[position]!
          const quantity = orders.quantity[line]!
          yield [at + 1, line - first + 1, merchant, position + 1, kind, sku, title, quantity, money(price), sold]
        }
      }
    },
  }
}

/** Every order was paid, and every return paid back. */
function paymentTable({ orders }: Dataset, totals: Float64Array): TableRows {
  return {
    table: 'payments',
    columns: ['id', 'order_id', 'provider', 'provider_reference', 'status', 'amount', 'created_at'],
    count: totals.length,
    *rows() {
      for (let at = 0; at < totals.length; at++) {
        const status = orders.returns[at]! < 0 ? 'captured' : 'refunded'
        const amount = money(Math.abs(totals[at]!))
        yield [at + 1, at + 1, 'simulated', `generated-${at + 1}`, status, amount, isoTime(orders.placedAt[at]!)]
      }
    },
  }
}
