import type { Quantiles } from '../../src/data/distribution.ts'
import type { InvoiceLine } from '../../src/data/online_retail/invoice_line.ts'
import { readInvoiceLines } from '../../src/data/online_retail/invoice_lines.ts'
import { findSourceFile } from '../../src/data/online_retail/source_file.ts'

/** Measures a file: what the constants of `shape.ts` should be. */
export async function measureShape(path: string) {
  const invoices = new Map<string, InvoiceLine[]>()
  for await (const line of readInvoiceLines((await findSourceFile(path)).read().text)) {
    const lines = invoices.get(line.invoice)
    if (lines) lines.push(line)
    else invoices.set(line.invoice, [line])
  }
  const all = [...invoices.values()]
  const returns = all.filter(([first]) => first!.invoice.startsWith('C'))
  const sales = all.filter((lines) => /^\d/.test(lines[0]!.invoice) && lines.some(isSale))
  const sold = sales.flat().filter(isSale)
  const buyers = countBy(
    sales.filter(([first]) => first!.customer !== ''),
    ([first]) => first!.customer,
  )
  return {
    LINES_PER_SALE: quantiles(
      sales.map(({ length }) => length),
      [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1],
    ),
    LINES_PER_RETURN: quantiles(
      returns.map(({ length }) => length),
      [0.5, 0.75, 0.9, 0.95, 0.99, 1],
    ),
    RETURN_SHARE: round(returns.length / (returns.length + sales.length)),
    ANONYMOUS_SHARE: round(sales.filter(([first]) => first!.customer === '').length / sales.length),
    ...measureQuantities(sold),
    PRICES: measurePrices(sold),
    PRODUCT_CONCENTRATION: concentration(countBy(sold, ({ code }) => code)),
    CUSTOMER_CONCENTRATION: concentration(buyers),
    CUSTOMERS_PER_SALE: round(buyers.size / sales.length),
    ...measureTimes(sales.map(([first]) => new Date(`${first!.soldAt.replace(' ', 'T')}Z`))),
    COUNTRIES: [...countBy(sales, ([first]) => first!.country)].sort(([, a], [, b]) => b - a),
  }
}

function isSale({ quantity, price }: InvoiceLine): boolean {
  return quantity > 0 && Number(price) > 0
}

function measureQuantities(sold: readonly InvoiceLine[]) {
  const counts = [...countBy(sold, ({ quantity }) => quantity)]
  const isCommon = ([, count]: readonly [number, number]) => count / sold.length >= 0.001
  const common = counts.filter(isCommon).sort(([a], [b]) => a - b)
  const rare = counts
    .filter((entry) => !isCommon(entry))
    .flatMap(([quantity, count]) => Array<number>(count).fill(quantity))
  const shares = quantiles(rare, [0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999])
  return {
    QUANTITIES: common,
    RARE_QUANTITY_SHARE: round(rare.length / sold.length),
    RARE_QUANTITIES: upToLast(shares),
  }
}

function measurePrices(sold: readonly InvoiceLine[]): Quantiles {
  const prices = new Map<string, number[]>()
  for (const { code, price } of sold) {
    const known = prices.get(code)
    if (known) known.push(Number(price))
    else prices.set(code, [Number(price)])
  }
  const medians = [...prices.values()].map((all) => all.sort((a, b) => a - b)[Math.floor(all.length / 2)]!)
  return upToLast(quantiles(medians, [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999]))
}

function measureTimes(moments: readonly Date[]) {
  const tradingDays = countBy(new Set(moments.map((moment) => moment.toISOString().slice(0, 10))), (day) =>
    Number(day.slice(5, 7)),
  )
  const perMonth = countBy(moments, (moment) => moment.getUTCMonth() + 1)
  const perWeekday = countBy(moments, (moment) => moment.getUTCDay())
  return {
    HOURS: [...countBy(moments, (moment) => moment.getUTCHours())].sort(([a], [b]) => a - b),
    WEEKDAYS: [0, 1, 2, 3, 4, 5, 6].map((day) => perWeekday.get(day) ?? 0),
    MONTHS: Array.from({ length: 12 }, (_, at) => round(perMonth.get(at + 1)! / tradingDays.get(at + 1)!, 2)),
  }
}

function countBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>()
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1)
  return counts
}

function quantiles(values: readonly number[], shares: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b)
  return shares.map((share) => [share, sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!])
}

/** The last point stands for all that is beyond it. */
function upToLast(points: Quantiles): Quantiles {
  return points.map(([share, value], at) => [at === points.length - 1 ? 1 : share, value])
}

function concentration(counts: ReadonlyMap<unknown, number>): Quantiles {
  const ranked = [...counts.values()].sort((a, b) => b - a)
  const total = ranked.reduce((sum, count) => sum + count, 0)
  return [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1].map((share) => {
    const best = ranked.slice(0, Math.round(ranked.length * share))
    return [share, round(best.reduce((sum, count) => sum + count, 0) / total)]
  })
}

function round(value: number, decimals = 4): number {
  return Math.round(value * 10 ** decimals) / 10 ** decimals
}
