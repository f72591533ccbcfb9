import { gunzipSync } from 'node:zlib'

/** What a file says, computed without anything of the importer: a parser of its own, and whole thousandths instead of decimals. */
export interface FileTotals {
  lines: number
  orders: number
  returns: number
  customers: number
  products: number
  units: number
  /** Sum of quantity x unit price in thousandths. */
  net: bigint
  /** The same by the date written in the line. */
  netByDay: Map<string, bigint>
  linesByDay: Map<string, number>
}

/** Adds up a file's bytes, plain or gzipped. */
export function fileTotals(bytes: Buffer): FileTotals {
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString('utf8')
  const [, ...records] = parseCsv(text)
  const invoices = new Set<string>()
  const customers = new Set<string>()
  const products = new Set<string>()
  const totals = {
    lines: records.length,
    units: 0,
    net: 0n,
    netByDay: new Map<string, bigint>(),
    linesByDay: new Map<string, number>(),
  }
  for (const [invoice, code, , quantity, date, price, customer] of records) {
    const amount = BigInt(quantity!) * thousandths(price!)
    const day = date!.slice(0, 10)
    totals.net += amount
    totals.units += Number(quantity)
    totals.netByDay.set(day, (totals.netByDay.get(day) ?? 0n) + amount)
    totals.linesByDay.set(day, (totals.linesByDay.get(day) ?? 0) + 1)
    invoices.add(invoice!)
    if (customer) customers.add(customer)
    if (code) products.add(code)
  }
  const returns = [...invoices].filter((invoice) => invoice.startsWith('C')).length
  return { ...totals, orders: invoices.size - returns, returns, customers: customers.size, products: products.size }
}

/** A decimal of at most three places as whole thousandths. */
export function thousandths(decimal: string): bigint {
  const [, sign, whole, part = ''] = /^(-?)(\d+)(?:\.(\d{1,3}))?$/.exec(decimal)!
  const value = BigInt(whole! + part.padEnd(3, '0'))
  return sign ? -value : value
}

function parseCsv(text: string): string[][] {
  const records: string[][] = []
  let fields: string[] = []
  const field = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/y
  while (field.lastIndex < text.length) {
    const [, quoted, plain, end] = field.exec(text)!
    fields.push(quoted === undefined ? plain! : quoted.replaceAll('""', '"'))
    if (end === ',') continue
    records.push(fields)
    fields = []
  }
  return records
}
