import type { InvoiceLine } from './invoice_line.ts'

/** What a line does in its order; the values of `order_lines.kind`. */
export type LineKind = 'sale' | 'return' | 'adjustment' | 'service'

/**
 * Codes that stand for no goods: postage (POST, DOT, C2), discounts (D), manual entries (M), samples (S), bad debt (B), bank
 * and marketplace fees, a charity's commission (CRUK) and gift vouchers. PADS and DCGS… are goods.
 * A regular expression that means the same to JavaScript and to PostgreSQL, matched without regard to case.
 */
export const SERVICE_CODES = '^(?:POST|DOT|C2|D|M|S|B|BANK CHARGES|AMAZONFEE|CRUK|gift_[0-9]+_[0-9]+)$'

const serviceCode = new RegExp(SERVICE_CODES, 'i')

/** Whether a stock code stands for something other than goods. */
export function isServiceCode(code: string): boolean {
  return serviceCode.test(code)
}

/** Whether an invoice takes goods back: its number starts with C, for credit. */
export function isReturn(invoice: string): boolean {
  return invoice.startsWith('C') || invoice.startsWith('c')
}

/** A negative line is a return in a credit note, and elsewhere an adjustment: stock lost, broken or counted again. */
export function kindOf({ invoice, code, quantity }: InvoiceLine): LineKind {
  const returned = isReturn(invoice)
  if (quantity < 0 && !returned) return 'adjustment'
  if (isServiceCode(code)) return 'service'
  return returned ? 'return' : 'sale'
}
