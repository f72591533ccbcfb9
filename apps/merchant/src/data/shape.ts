/**
 * The shape of a real shop, measured from UCI Online Retail (D. Chen, UCI Machine Learning Repository, CC BY 4.0): 541,909
 * invoice lines of a UK gift shop from December 2010 to December 2011. `test/data/shape_measurement.ts`
 * measures it again, and a test compares when the file is at hand.
 *
 * "Sales" are invoices whose number has no letter and that have a line of positive quantity and price: 19,959
 * invoices with 530,497 lines; line figures count only such lines.
 */
import type { Quantiles, Weights } from './distribution.ts'

/** Lines of a sale; the mean is 26.58. The generator scales it to the mean it is asked for. */
export const LINES_PER_SALE: Quantiles = [
  [0.05, 1],
  [0.1, 2],
  [0.25, 6],
  [0.5, 15],
  [0.75, 29],
  [0.9, 54],
  [0.95, 79],
  [0.99, 220],
  [0.999, 593],
  [1, 1114],
]

/** Lines of a return (an invoice whose number starts with C); the mean is 2.42. */
export const LINES_PER_RETURN: Quantiles = [
  [0.5, 1],
  [0.75, 2],
  [0.9, 4],
  [0.95, 7],
  [0.99, 18],
  [1, 101],
]

/** Returns among sales and returns together: 3,836 of 23,795. */
export const RETURN_SHARE = 0.1612

/** Sales without a customer: 1,427 of 19,959. */
export const ANONYMOUS_SHARE = 0.0715

/** Pieces of a line, every quantity that makes up at least a thousandth of the lines, with its lines. */
export const QUANTITIES: Weights<number> = [
  [1, 147822],
  [2, 81699],
  [3, 37037],
  [4, 38442],
  [5, 11717],
  [6, 40839],
  [7, 2901],
  [8, 13108],
  [9, 2025],
  [10, 22266],
  [11, 944],
  [12, 61044],
  [13, 577],
  [14, 560],
  [15, 792],
  [16, 4260],
  [18, 1780],
  [20, 5000],
  [24, 24005],
  [25, 5119],
  [30, 1173],
  [32, 1045],
  [36, 3813],
  [40, 1076],
  [48, 6059],
  [50, 912],
  [60, 669],
  [72, 1943],
  [96, 1809],
  [100, 1807],
  [120, 602],
  [144, 1013],
]

/** Share of the lines whose quantity is rarer than that. */
export const RARE_QUANTITY_SHARE = 0.0118

/** Those rarer quantities, up to their 99.9th percentile: the two above 70,000 were typing errors, taken back at once. */
export const RARE_QUANTITIES: Quantiles = [
  [0, 17],
  [0.1, 21],
  [0.25, 35],
  [0.5, 108],
  [0.75, 240],
  [0.9, 416],
  [0.99, 1300],
  [1, 3114],
]

/** Median price of each of the 3,921 products sold, in pounds, up to the 99.9th percentile: above are bookkeeping lines. */
export const PRICES: Quantiles = [
  [0, 0.001],
  [0.01, 0.19],
  [0.05, 0.39],
  [0.1, 0.42],
  [0.25, 1.25],
  [0.5, 2.1],
  [0.75, 4.13],
  [0.9, 8.15],
  [0.95, 9.95],
  [0.99, 24.95],
  [1, 165],
]

/** Popularity of products: share of the lines that the best-selling share of the products takes. */
export const PRODUCT_CONCENTRATION: Quantiles = [
  [0.001, 0.0153],
  [0.0025, 0.0315],
  [0.005, 0.0546],
  [0.01, 0.0935],
  [0.025, 0.1857],
  [0.05, 0.2937],
  [0.1, 0.4464],
  [0.2, 0.6443],
  [0.3, 0.7717],
  [0.4, 0.8596],
  [0.5, 0.9198],
  [0.6, 0.9581],
  [0.7, 0.9812],
  [0.8, 0.9934],
  [0.9, 0.9986],
  [1, 1],
]

/** Loyalty of customers: share of the sales that the most frequent share of the 4,338 buyers makes. */
export const CUSTOMER_CONCENTRATION: Quantiles = [
  [0.001, 0.034],
  [0.0025, 0.0625],
  [0.005, 0.0919],
  [0.01, 0.1312],
  [0.025, 0.2142],
  [0.05, 0.3077],
  [0.1, 0.4339],
  [0.2, 0.5968],
  [0.3, 0.7037],
  [0.4, 0.7848],
  [0.5, 0.8465],
  [0.6, 0.8933],
  [0.7, 0.9298],
  [0.8, 0.9532],
  [0.9, 0.9766],
  [1, 1],
]

/** Customers for each sale: 4,338 buyers of 19,959 sales. */
export const CUSTOMERS_PER_SALE = 0.2173

/** Sales by hour of the day, local time. */
export const HOURS: Weights<number> = [
  [6, 1],
  [7, 29],
  [8, 566],
  [9, 1484],
  [10, 2361],
  [11, 2396],
  [12, 3219],
  [13, 2753],
  [14, 2456],
  [15, 2336],
  [16, 1335],
  [17, 667],
  [18, 192],
  [19, 146],
  [20, 18],
]

/** Sales by day of the week, Sunday first; the shop never sold on a Saturday. */
export const WEEKDAYS: readonly number[] = [2204, 3126, 3554, 3690, 4246, 3139, 0]

/** Sales on a trading day by month, January first; December is the mean of its 28 trading days in two years. */
export const MONTHS: readonly number[] = [
  45.25, 45.83, 53.85, 59.33, 67.24, 58.96, 56.73, 52.31, 70.65, 78.46, 106.5, 84.93,
]

/** Sales by country. */
export const COUNTRIES: Weights<string> = [
  ['United Kingdom', 18018],
  ['Germany', 457],
  ['France', 392],
  ['EIRE', 288],
  ['Belgium', 98],
  ['Netherlands', 94],
  ['Spain', 90],
  ['Portugal', 58],
  ['Australia', 57],
  ['Switzerland', 54],
  ['Finland', 41],
  ['Italy', 38],
  ['Norway', 36],
  ['Sweden', 36],
  ['Channel Islands', 26],
  ['Poland', 19],
  ['Japan', 19],
  ['Denmark', 18],
  ['Austria', 17],
  ['Cyprus', 16],
  ['Unspecified', 13],
  ['Hong Kong', 11],
  ['Israel', 8],
  ['Iceland', 7],
  ['Singapore', 7],
  ['Canada', 6],
  ['Greece', 5],
  ['USA', 5],
  ['Malta', 5],
  ['Lithuania', 4],
  ['European Community', 4],
  ['Bahrain', 3],
  ['United Arab Emirates', 3],
  ['Czech Republic', 2],
  ['Lebanon', 1],
  ['Saudi Arabia', 1],
  ['Brazil', 1],
  ['RSA', 1],
]
