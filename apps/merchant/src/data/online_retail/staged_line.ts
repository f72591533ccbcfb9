import type { CopyValue } from '../copy_text.ts'
import type { InvoiceLine } from './invoice_line.ts'
import { isReturn, isServiceCode, kindOf } from './line_kind.ts'
import type { OddityLog } from './oddity.ts'

/** What is remembered of an invoice while its lines come, contiguous or not. */
interface OpenInvoice {
  lines: number
  soldAt: string
  country: string
  /** The first that a line names; empty until then. */
  customer: string
}

/** Turns lines into rows of the staging table, and notes what is odd about them. */
export type Stage = (line: InvoiceLine) => readonly CopyValue[]

/** Columns of the staging table, in the order of the rows. */
export const STAGED_COLUMNS = [
  'line',
  'invoice',
  'ordinal',
  'kind',
  'code',
  'description',
  'quantity',
  'sold_at',
  'price',
  'customer',
  'country',
] as const

/** Starts with no invoice seen. Memory grows with the invoices, not with the lines. */
export function createStage(log: OddityLog): Stage {
  const invoices = new Map<string, OpenInvoice>()
  return (line) => {
    let invoice = invoices.get(line.invoice)
    if (!invoice) {
      invoice = { lines: 0, soldAt: line.soldAt, country: line.country, customer: '' }
      invoices.set(line.invoice, invoice)
    }
    invoice.lines++
    noteLine(log, line)
    noteInvoice(log, line, invoice)
    if (invoice.customer === '') invoice.customer = line.customer
    return [
      line.line,
      line.invoice,
      invoice.lines,
      kindOf(line),
      line.code,
      line.description,
      line.quantity,
      line.soldAt,
      line.price,
      line.customer || null,
      line.country || 'Unspecified',
    ]
  }
}

function noteLine(log: OddityLog, line: InvoiceLine): void {
  const price = Number(line.price)
  if (line.customer === '') log.add('no-customer', line.line)
  if (line.description === '') log.add('no-description', line.line)
  if (line.code === '') log.add('no-stock-code', line.line)
  if (line.country === '') log.add('no-country', line.line)
  if (price === 0) log.add('zero-price', line.line)
  if (price < 0) log.add('negative-price', line.line)
  if (line.quantity === 0) log.add('zero-quantity', line.line)
  if (isServiceCode(line.code)) log.add('service-code', line.line)
  if (line.quantity < 0 && !isReturn(line.invoice)) log.add('adjustment', line.line)
  if (line.quantity > 0 && isReturn(line.invoice)) log.add('positive-in-return', line.line)
  if (!/^c?\d/i.test(line.invoice)) log.add('other-invoice-letter', line.line)
}

function noteInvoice(log: OddityLog, line: InvoiceLine, invoice: OpenInvoice): void {
  if (line.soldAt !== invoice.soldAt) log.add('other-time', line.line)
  if (line.country !== invoice.country) log.add('other-country', line.line)
  if (invoice.customer !== '' && line.customer !== '' && line.customer !== invoice.customer)
    log.add('other-customer', line.line)
}
