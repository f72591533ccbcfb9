import { importError } from '../errors.ts'

/** One line of the file, read and checked. */
export interface InvoiceLine {
  /** Its last line in the file, from 1, the header included. */
  line: number
  invoice: string
  code: string
  description: string
  quantity: number
  /** Local time in London, `2010-12-01 08:26:00`. */
  soldAt: string
  /** As written, of at most three decimals. */
  price: string
  /** Without the `.0` that spreadsheets put behind numbers; empty when there is none. */
  customer: string
  country: string
}

/** Columns by the name that remains when case, spaces and underscores are ignored: files of both spellings are about. */
const COLUMNS = {
  invoiceno: 'invoice',
  stockcode: 'code',
  description: 'description',
  quantity: 'quantity',
  invoicedate: 'soldAt',
  unitprice: 'price',
  customerid: 'customer',
  country: 'country',
} as const

type Column = (typeof COLUMNS)[keyof typeof COLUMNS]

/** What a header is expected to be. */
const HEADER = 'invoice_no,stock_code,description,quantity,invoice_date,unit_price,customer_id,country'

const ISO_TIME = /^(\d{4})-(\d\d)-(\d\d)[ T](\d{1,2}):(\d\d)(?::(\d\d))?$/
/** Month first, as in the file's first publication. */
const US_TIME = /^(\d{1,2})\/(\d{1,2})\/(\d{4}) (\d{1,2}):(\d\d)$/
const QUANTITY = /^[+-]?\d+(?:\.0+)?$/
const PRICE = /^[+-]?\d+(?:\.\d{0,3}0*)?$/
/** What `integer` and `numeric(14,3)` hold. */
const LARGEST_QUANTITY = 2 ** 31 - 1
const LARGEST_AMOUNT = 1e11

/** Reads records of one file, whose columns may stand in any order. */
export type LineReader = (record: readonly string[], line: number) => InvoiceLine

/**
 * Understands a header.
 *
 * @throws E_IMPORT_HEADER when a column is missing, unknown or there twice
 */
export function readHeader(record: readonly string[]): LineReader {
  const at: Partial<Record<Column, number>> = {}
  for (const [position, title] of record.entries()) {
    const key = title.toLowerCase().replace(/[\s_]/g, '')
    const column = Object.hasOwn(COLUMNS, key) ? COLUMNS[key as keyof typeof COLUMNS] : undefined
    if (!column || at[column] !== undefined)
      throw headerError(`${column ? 'repeats' : 'has the unknown column'} '${title.slice(0, 40)}'`)
    at[column] = position
  }
  const missing = Object.entries(COLUMNS).find(([, column]) => at[column] === undefined)
  if (missing) throw headerError(`has no column '${missing[0]}'`)
  return lineReader(at as Record<Column, number>)
}

function headerError(what: string): Error {
  return importError('E_IMPORT_HEADER', `the header ${what}; expected ${HEADER}`, { line: 1 })
}

function lineReader(at: Record<Column, number>): LineReader {
  return (record, line) => {
    const invoice = record[at.invoice]!.trim()
    if (invoice === '') throw valueError(line, 'invoice_no', invoice, 'an invoice number')
    const quantity = readQuantity(record[at.quantity]!, line)
    const price = readPrice(record[at.price]!, line)
    if (Math.abs(quantity * Number(price)) >= LARGEST_AMOUNT)
      throw valueError(
        line,
        'quantity',
        record[at.quantity]!,
        'so small that quantity x price is below 100,000,000,000',
      )
    return {
      line,
      invoice,
      code: record[at.code]!.trim(),
      description: record[at.description]!.trim(),
      quantity,
      soldAt: readTime(record[at.soldAt]!.trim(), line),
      price,
      customer: record[at.customer]!.trim().replace(/^(\d+)\.0$/, '$1'),
      country: record[at.country]!.trim(),
    }
  }
}

function readQuantity(text: string, line: number): number {
  const quantity = Number(text)
  if (!QUANTITY.test(text.trim()) || Math.abs(quantity) > LARGEST_QUANTITY)
    throw valueError(line, 'quantity', text, 'a whole number')
  return quantity
}

function readPrice(text: string, line: number): string {
  const price = text.trim()
  if (!PRICE.test(price) || Math.abs(Number(price)) >= LARGEST_AMOUNT)
    throw valueError(line, 'unit_price', text, 'a number of at most three decimals')
  return price
}

function readTime(text: string, line: number): string {
  const iso = ISO_TIME.exec(text)
  const us = iso ? null : US_TIME.exec(text)
  const [year, month, day, hour, minute, second = '00'] = iso
    ? iso.slice(1)
    : us
      ? [us[3], us[1], us[2], us[4], us[5]]
      : []
  if (!year || !isTime(Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)))
    throw valueError(line, 'invoice_date', text, "a time such as '2010-12-01 08:26:00'")
  return `${year}-${month!.padStart(2, '0')}-${day!.padStart(2, '0')} ${hour!.padStart(2, '0')}:${minute}:${second}`
}

function isTime(year: number, month: number, day: number, hour: number, minute: number, second: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day))
  const isDay = year >= 1900 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  return isDay && hour < 24 && minute < 60 && second < 60
}

function valueError(line: number, column: string, value: string, expected: string): Error {
  const shown = value.length > 40 ? `${value.slice(0, 40)}…` : value
  return importError('E_IMPORT_VALUE', `line ${line}: ${column} must be ${expected}, got '${shown}'`, {
    line,
    column,
    value: shown,
  })
}
