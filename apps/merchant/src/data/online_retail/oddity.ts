/** Why a line needed a decision, and which one was taken. */
export const ODDITIES = {
  'no-customer': 'kept; an order none of whose lines names a customer has none',
  'no-description': 'kept, under the title of its product',
  'no-stock-code': 'kept, without a product',
  'no-country': "kept, as 'Unspecified'",
  'zero-price': 'kept',
  'negative-price': 'kept; it lowers the revenue',
  'zero-quantity': 'kept',
  'service-code': "kept, as a line of kind 'service' or 'adjustment'; its product is archived",
  adjustment: "a negative quantity outside a return: kept, as a line of kind 'adjustment' of that order",
  'positive-in-return': 'a positive quantity in a return: kept as it is',
  'other-invoice-letter':
    "an invoice number with another letter than C in front, such as 'A' for bad debt: kept, as an order",
  'other-time': "another time than the invoice's first line: kept, under its own",
  'other-customer':
    "another customer than the invoice's first: the order is the first's, the other is made a customer too",
  'other-country': "another country than the invoice's first: kept, under the first",
  duplicate: 'the same as an earlier line of its invoice, word for word: kept',
  changed: 'differs from what an earlier import loaded under its invoice and ordinal: what was loaded stays',
} as const

/** Name of a reason. */
export type Oddity = keyof typeof ODDITIES

/** How many lines a report names in all. */
const MOST_LINES = 10_000
/** So that the frequent reasons leave room for the rare ones. */
const MOST_LINES_PER_REASON = Math.floor(MOST_LINES / Object.keys(ODDITIES).length)

/** What is kept of an import, in `imports.report`. */
export interface ImportReport {
  /** Lines by reason, all of them; a line may have several. */
  counts: Partial<Record<Oddity, number>>
  /** The first lines of each reason, 10,000 in all at most, in the order of the file. */
  lines: { line: number; reason: Oddity }[]
  /** Whether some lines are counted but not named. */
  truncated: boolean
}

/** Gathers odd lines. */
export interface OddityLog {
  add(reason: Oddity, line: number): void
  report(): ImportReport
}

/** Starts an empty log. */
export function createOddityLog(): OddityLog {
  const counts: Partial<Record<Oddity, number>> = {}
  const lines: ImportReport['lines'] = []
  let truncated = false
  return {
    add(reason, line) {
      const count = (counts[reason] ?? 0) + 1
      counts[reason] = count
      if (count <= MOST_LINES_PER_REASON) lines.push({ line, reason })
      else truncated = true
    },
    report: () => ({ counts: { ...counts }, lines: lines.toSorted((a, b) => a.line - b.line), truncated }),
  }
}
