import type { ProductField } from './product.ts'

/** Where a field comes from. */
export interface Source {
  select: string
  /** Columns of `products` that it needs. */
  columns: readonly string[]
  join?: keyof ReturnType<typeof joinsOf>
}

const SOURCES: Readonly<Record<ProductField, Source>> = {
  id: { select: 'p.id', columns: [] },
  sku: { select: 'p.sku', columns: ['sku'] },
  title: { select: 'p.title', columns: ['title'] },
  price: { select: 'p.price::float8', columns: ['price'] },
  currency: { select: 'm.currency', columns: ['merchant_id'], join: 'merchant' },
  status: { select: 'p.status', columns: ['status'] },
  categoryId: { select: 'p.category_id', columns: ['category_id'] },
  category: { select: 'c.name', columns: ['category_id'], join: 'category' },
  merchantId: { select: 'p.merchant_id', columns: ['merchant_id'] },
  merchant: { select: 'm.name', columns: ['merchant_id'], join: 'merchant' },
  available: { select: 'coalesce(s.on_hand - s.reserved, 0)', columns: [], join: 'stock' },
  image: { select: 'i.url', columns: [], join: 'image' },
  version: { select: 'p.version', columns: ['version'] },
  createdAt: { select: 'p.created_at::text', columns: ['created_at'] },
  updatedAt: { select: 'p.updated_at::text', columns: ['updated_at'] },
}

/** The fields that come as the server's texts of moments. */
export const momentFields: readonly ProductField[] = ['createdAt', 'updatedAt']

/** Outer joins, so that the planner can't let them decide which rows make the page. */
function joinsOf(schema: string) {
  return {
    category: `LEFT JOIN ${schema}.categories c ON c.id = p.category_id`,
    merchant: `LEFT JOIN ${schema}.merchants m ON m.id = p.merchant_id`,
    stock: `LEFT JOIN ${schema}.stock s ON s.product_id = p.id`,
    image: `LEFT JOIN LATERAL (
      SELECT first.url FROM ${schema}.product_images first WHERE first.product_id = p.id ORDER BY first.position LIMIT 1
    ) i ON true`,
  }
}

/** The parts of a statement that depend on the fields asked for. */
export interface PageColumns {
  /** Output of the outer query. */
  select: string
  /** Columns of `products` that the inner query passes on. */
  page: readonly string[]
  joins: string
}

/**
 * Reads only what the fields need, and joins only the tables they come from.
 *
 * @param schema quoted
 * @param known sources that the page has in place of a join: the name of the category it was walked in
 */
export function columnsFor(
  schema: string,
  fields: readonly ProductField[],
  known: Partial<Record<ProductField, Source>> = {},
): PageColumns {
  const joins = joinsOf(schema)
  const sources = fields.map((field) => ({ field, ...(known[field] ?? SOURCES[field]) }))
  const page = new Set(['id', ...sources.flatMap((source) => source.columns)])
  const joined = new Set(sources.flatMap((source) => (source.join ? [joins[source.join]] : [])))
  return {
    select: sources.map(({ field, select }) => `${select} AS "${field}"`).join(', '),
    page: [...page],
    joins: [...joined].join(' '),
  }
}
