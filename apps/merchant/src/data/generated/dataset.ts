import { createRandom, type Random } from '../random.ts'
import { CUSTOMERS_PER_SALE } from '../shape.ts'
import { generateMoments } from './calendar.ts'
import { type GeneratedProduct, generateProducts } from './catalogue.ts'
import { type GeneratedCustomer, generateCustomers } from './customers.ts'
import { type GeneratedMerchant, generateMerchants, MARKETPLACES } from './merchants.ts'
import { type GeneratedOrders, generateOrders } from './orders.ts'
import { type GeneratedCategory, generateCategories } from './taxonomy.ts'

/** How much is generated. */
export interface Scale {
  products: number
  /** Orders and returns together. */
  orders: number
  /** Lines of all of them, exactly. */
  lines: number
}

/** The sizes that have a name. */
export const SCALES = {
  small: { products: 5_000, orders: 20_000, lines: 66_667 },
  large: { products: 50_000, orders: 300_000, lines: 1_000_000 },
} as const satisfies Record<string, Scale>

/** Name of a size. */
export type DataSize = keyof typeof SCALES

/** What decides the generated data, to the last byte. */
export interface DatasetOptions {
  scale: Scale
  /** @default 'tailwater' */
  seed?: string | number
  /**
   * The moment all dates lie before, in milliseconds since the epoch: a fixed one, so that the data does not depend on the day it is made.
   * @default 2026-11-20T00:00:00Z
   */
  end?: number
}

/** Everything that is generated, before it becomes rows. */
export interface Dataset {
  end: number
  /** Start of the first day with orders. */
  start: number
  random: Random
  merchants: readonly GeneratedMerchant[]
  categories: readonly GeneratedCategory[]
  products: readonly GeneratedProduct[]
  customers: readonly GeneratedCustomer[]
  marketplaces: typeof MARKETPLACES
  orders: GeneratedOrders
}

/** Orders of two years: a season can be compared with the one before. */
const SPAN_DAYS = 730
const DAY = 86_400_000
const DEFAULT_END = Date.UTC(2026, 10, 20)

/** Generates a whole shop; the same options give the same data on every machine. */
export function generateDataset(options: DatasetOptions): Dataset {
  const { scale, seed = 'tailwater', end = DEFAULT_END } = options
  const random = createRandom(seed)
  const categories = generateCategories()
  const products = generateProducts(random.fork('products'), scale.products, categories, MARKETPLACES.length)
  const customers = generateCustomers(random.fork('customers'), Math.ceil(scale.orders * CUSTOMERS_PER_SALE))
  const placedAt = generateMoments(random.fork('moments'), scale.orders, end, SPAN_DAYS)
  const input = { placedAt, lines: scale.lines, products, customers, marketplaces: MARKETPLACES.length }
  const orders = generateOrders(random.fork('orders'), input)
  const start = Math.floor(end / DAY) * DAY - SPAN_DAYS * DAY
  return {
    end,
    start,
    random,
    merchants: generateMerchants(),
    categories,
    products,
    customers,
    marketplaces: MARKETPLACES,
    orders,
  }
}
