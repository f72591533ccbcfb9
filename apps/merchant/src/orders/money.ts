/** Prices have three decimals: counted in thousandths they are whole numbers, and sums are exact. */
const THOUSANDTHS = 1000

/** What so many pieces cost. Exact while the result stays below 9,000,000,000,000. */
export function amountOf(unitPrice: number, quantity: number): number {
  return (Math.round(unitPrice * THOUSANDTHS) * quantity) / THOUSANDTHS
}

/** The exact sum of amounts with three decimals. */
export function sumAmounts(amounts: readonly number[]): number {
  return amounts.reduce((sum, amount) => sum + Math.round(amount * THOUSANDTHS), 0) / THOUSANDTHS
}
