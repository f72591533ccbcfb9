import { createKeyset, type Keyset, type OpenPage } from '@tailwater/http'
import {
  createParameters,
  createStatementNames,
  limitClause,
  type Parameters,
  type PreparedQuery,
  partOf,
} from '../database/list_statement.ts'
import type { ProductField, ProductStatus } from './product.ts'
import { columnsFor, type Source } from './product_columns.ts'

/*
 * The product list in one statement.
 *
 * The inner query finds the page: a walk along one index that stops after `limit` rows. Only those rows are joined with
 * what else the asked-for fields need. A category means its whole subtree: each category of it gives its own first
 * `limit` rows from the index on (category_id, …), and the page is the first of these. So the cost grows with the
 * page and the number of categories, never with the number of products.
 *
 * Statements without a price or a text are named, and planned once. With one they are planned for their values,
 * because no one plan is good both for a rare word and for a common one.
 */

/** Which products. */
export interface ProductFilter {
  status: ProductStatus
  merchantId?: number | undefined
  /** Id or slug of a category; its subtree is meant. */
  category?: string | undefined
  minPrice?: number | undefined
  maxPrice?: number | undefined
  /** Words in title or description, or a part of the title. */
  text?: string | undefined
}

/** By what products can be sorted, a minus for descending; `relevance` only with a text. */
export const productSorts = ['-created', 'created', 'price', '-price', 'title', '-title', 'relevance'] as const

/** One of `productSorts`. */
export type ProductSort = (typeof productSorts)[number]

function keysetOn(column: string, type: string, direction: 'asc' | 'desc'): Keyset {
  // The id in the same direction, so that the two compare as one row and one index serves both directions.
  return createKeyset([
    { sql: `p.${column}`, type, direction },
    { sql: 'p.id', type: 'bigint', direction },
  ])
}

/** The sort orders, each total. */
export const productKeysets: Readonly<Record<ProductSort, Keyset>> = {
  '-created': keysetOn('created_at', 'timestamptz', 'desc'),
  created: keysetOn('created_at', 'timestamptz', 'asc'),
  '-price': keysetOn('price', 'numeric', 'desc'),
  price: keysetOn('price', 'numeric', 'asc'),
  '-title': keysetOn('title', 'text', 'desc'),
  title: keysetOn('title', 'text', 'asc'),
  relevance: keysetOn('rank', 'real', 'desc'),
}

const SORT_COLUMNS: Readonly<Record<ProductSort, string>> = {
  '-created': 'created_at',
  created: 'created_at',
  '-price': 'price',
  price: 'price',
  '-title': 'title',
  title: 'title',
  relevance: 'rank',
}

/** A page of products asked for. */
export interface ProductListRequest {
  filter: ProductFilter
  sort: ProductSort
  fields: readonly ProductField[]
  page: OpenPage
}

/** The statements of the product list. */
export type ProductList = ReturnType<typeof createProductList>

/** Builds the statements of the product list. @param schema quoted and ready to interpolate */
export function createProductList(schema: string) {
  const name = createStatementNames('merchant_products')
  const isNamed = ({ text, minPrice, maxPrice }: ProductFilter) => (text ?? minPrice ?? maxPrice) === undefined

  return {
    /** The page's rows, with the keyset's columns, and at least one row more when there is another page. */
    page(request: ProductListRequest): PreparedQuery {
      const parameters = createParameters()
      const text = pageText(schema, request, parameters)
      return { statement: isNamed(request.filter) ? name(text) : text, values: parameters.values }
    },
    /** How many there are in all. */
    count(filter: ProductFilter): PreparedQuery {
      const parameters = createParameters()
      const conditions = [...conditionsOf(filter, parameters), ...subtreeOf(schema, filter, parameters)]
      const text = `SELECT count(*)::float8 AS total FROM ${schema}.products p WHERE ${conditions.join(' AND ')}`
      return { statement: isNamed(filter) ? name(text) : text, values: parameters.values }
    },
  }
}

function pageText(schema: string, request: ProductListRequest, parameters: Parameters): string {
  const inCategory = isPerCategory(request)
  const { select, joins, page } = columnsFor(schema, request.fields, inCategory ? WALKED : {})
  const columns = [...new Set([...page, SORT_COLUMNS[request.sort]])].map((column) => `p.${column}`).join(', ')
  const conditions = conditionsOf(request.filter, parameters)
  const { where, orderBy } = parameters.seek(request.page)
  const walk = { columns, conditions, where, rest: `ORDER BY ${orderBy} ${limitClause(request.page)}` }
  const rows = inCategory
    ? walkEachCategory(schema, request.filter.category!, walk, parameters)
    : walkTogether(schema, request, walk, parameters)
  return `SELECT ${select}, ${productKeysets[request.sort].select} FROM (${rows}) p ${joins} ORDER BY ${orderBy}`
}

/** The parts of the inner query. */
interface Walk {
  columns: string
  /** Which products. */
  conditions: string[]
  /** Where the page begins. */
  where: string
  /** Its order and its end. */
  rest: string
}

/** A text is looked up in its own index, over all categories; an offset can only be counted over all of them. */
function isPerCategory({ filter, page }: ProductListRequest): boolean {
  return filter.category !== undefined && filter.text === undefined && page.offset === 0
}

/** The walk stands in the category already: its name needs no join. */
const WALKED: Partial<Record<ProductField, Source>> = { category: { select: 'p.category_name', columns: [] } }

function walkEachCategory(schema: string, category: string, walk: Walk, parameters: Parameters): string {
  const conditions = ['p.category_id = k.id', ...walk.conditions, walk.where].join(' AND ')
  return `SELECT ${walk.columns}, k.name AS category_name FROM ${schema}.categories k
    CROSS JOIN LATERAL (SELECT ${walk.columns} FROM ${schema}.products p WHERE ${conditions} ${walk.rest}) p
    WHERE ${isBelow(schema, category, parameters)} ${walk.rest}`
}

function walkTogether(schema: string, request: ProductListRequest, walk: Walk, parameters: Parameters): string {
  const { filter, sort, page } = request
  const conditions = [...walk.conditions, ...subtreeOf(schema, filter, parameters)].join(' AND ')
  const skip = page.offset > 0 ? `OFFSET ${parameters.add(page.offset, 'bigint')}` : ''
  if (sort !== 'relevance')
    return `SELECT ${walk.columns} FROM ${schema}.products p WHERE ${conditions} AND ${walk.where} ${walk.rest} ${skip}`
  const columns = walk.columns.replace('p.rank', `ts_rank(p.search, ${wordsOf(filter.text ?? '', parameters)}) AS rank`)
  return `SELECT ${walk.columns} FROM (SELECT ${columns} FROM ${schema}.products p WHERE ${conditions}) p
    WHERE ${walk.where} ${walk.rest} ${skip}`
}

function wordsOf(text: string, parameters: Parameters): string {
  return `websearch_to_tsquery('english', ${parameters.add(text, 'text')})`
}

function conditionsOf(filter: ProductFilter, parameters: Parameters): string[] {
  // The status is one of three words and stands in the text, so that the planner sees which partial index fits.
  const conditions = [`p.status = '${filter.status}'`]
  if (filter.merchantId !== undefined) conditions.push(`p.merchant_id = ${parameters.add(filter.merchantId, 'bigint')}`)
  if (filter.minPrice !== undefined) conditions.push(`p.price >= ${parameters.add(filter.minPrice, 'numeric')}`)
  if (filter.maxPrice !== undefined) conditions.push(`p.price <= ${parameters.add(filter.maxPrice, 'numeric')}`)
  if (filter.text !== undefined) conditions.push(textCondition(filter.text, parameters))
  return conditions
}

/** Three letters or digits together: what a trigram index needs to be of any use. */
const TRIGRAM = /[\p{L}\p{N}]{3}/u

function textCondition(text: string, parameters: Parameters): string {
  const words = `p.search @@ ${wordsOf(text, parameters)}`
  if (!TRIGRAM.test(text)) return words
  return `(${words} OR p.title ILIKE ${partOf(text, parameters)})`
}

function subtreeOf(schema: string, { category }: ProductFilter, parameters: Parameters): string[] {
  if (category === undefined) return []
  return [`p.category_id IN (SELECT k.id FROM ${schema}.categories k WHERE ${isBelow(schema, category, parameters)})`]
}

/** Longer numbers are no ids, and would not fit a bigint: they are slugs. */
const CATEGORY_ID = /^[1-9][0-9]{0,15}$/

function isBelow(schema: string, category: string, parameters: Parameters): string {
  if (CATEGORY_ID.test(category)) return `k.path @> ARRAY[${parameters.add(category, 'bigint')}]`
  // Of an unknown slug the array holds a null, which no path contains.
  const root = `SELECT root.id FROM ${schema}.categories root WHERE root.slug = ${parameters.add(category, 'text')}`
  return `k.path @> ARRAY[(${root})]`
}
