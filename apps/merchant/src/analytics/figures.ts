import { Type } from 'typebox'

/** An amount of money in an answer. Sums are exact: up to 9,000,000,000,000.000 a JSON number holds every thousandth. */
export const Amount = (description: string) => Type.Number({ description, examples: [9747747.934] })

/** A count in an answer. */
export const Count = (description: string) => Type.Integer({ description })

/** What was sold and taken back; the same figures for a day, a country, or all. */
export const salesFigures = {
  orders: Count('Orders placed; cancelled ones do not count, here or below.'),
  returns: Count('Returns.'),
  lines: Count('Lines of orders and returns.'),
  units: Count('Pieces sold, less those taken back or written off.'),
  grossRevenue: Amount('Of orders, their adjustments included.'),
  returnsValue: Amount('Of returns, as a positive amount.'),
  netRevenue: Amount('grossRevenue less returnsValue.'),
}
