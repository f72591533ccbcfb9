import { createKeyset, type Keyset, type OpenPage } from '@tailwater/http'
import { createStatementNames, limitClause, patternOf } from '../database/list_statement.ts'
import { createTemplate, type Places } from '../database/statement_template.ts'
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

const COLUMN_TYPES = { created_at: 'timestamptz', price: 'numeric', title: 'text', rank: 'real' } as const

const SORT_COLUMNS: Readonly<Record<ProductSort, keyof typeof COLUMN_TYPES>> = {
  '-created': 'created_at',
  created: 'created_at',
  '-price': 'price',
  price: 'price',
  '-title': 'title',
  title: 'title',
  relevance: 'rank',
}

/** Fields that hold their column exactly; a price is a binary fraction in answers. */
const EXACT_FIELDS: Partial<Record<keyof typeof COLUMN_TYPES, ProductField>> = {
  created_at: 'createdAt',
  title: 'title',
}

/** A sort order, which is total. @param fields those asked for: a column that is among them is not read twice */
function keysetOf(sort: ProductSort, fields: readonly ProductField[]): Keyset {
  const column = SORT_COLUMNS[sort]
  const direction = sort.startsWith('-') || sort === 'relevance' ? 'desc' : 'asc'
  const within = (field: ProductField | undefined) => (field && fields.includes(field) ? { field } : {})
  // The id in the same direction, so that the two compare as one row and one index serves both directions.
  return createKeyset([
    { sql: `p.${column}`, type: COLUMN_TYPES[column], direction, ...within(EXACT_FIELDS[column]) },
    { sql: 'p.id', type: 'bigint', direction, ...within('id') },
  ])
}

/** The fields of a product that one caller asked for, with what follows from them. */
export interface AskedFields {
  readonly fields: readonly ProductField[]
  /** Names them in the shape of a statement. */
  readonly name: string
  keyset(sort: ProductSort): Keyset
}

/** Prepares fields; worth keeping for as long as they are asked for. */
export function askFields(fields: readonly ProductField[]): AskedFields {
  const keysets = new Map(productSorts.map((sort) => [sort, keysetOf(sort, fields)]))
  return { fields, name: fields.join(), keyset: (sort) => keysets.get(sort)! }
}

/** A page of products asked for. */
export interface ProductListRequest {
  filter: ProductFilter
  sort: ProductSort
  asked: AskedFields
  /** Opened with the keyset of the fields and the sort order. */
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
    page: createTemplate<ProductListRequest>({
      shapeOf: ({ filter, sort, asked, page }) =>
        `${filterShape(filter)} ${sort} ${page.fetch} ${page.offset > 0} ${page.shape} ${asked.name}`,
      write(request, places) {
        const text = pageText(schema, request, places)
        return isNamed(request.filter) ? name(text) : text
      },
    }),
    /** How many there are in all. */
    count: createTemplate<{ filter: ProductFilter }>({
      shapeOf: ({ filter }) => filterShape(filter),
      write({ filter }, places) {
        const conditions = [...conditionsOf(filter, places), ...subtreeOf(schema, filter, places)]
        const text = `SELECT count(*)::float8 AS total FROM ${schema}.products p WHERE ${conditions.join(' AND ')}`
        return isNamed(filter) ? name(text) : text
      },
    }),
  }
}

/** What the conditions depend on: the status, which stands in the text, the kind of each value, and which are given. */
function filterShape({ status, merchantId, category, minPrice, maxPrice, text }: ProductFilter): string {
  const given = [merchantId, minPrice, maxPrice].map((value) => (value === undefined ? '-' : '+')).join('')
  const kind = category === undefined ? 'all' : CATEGORY_ID.test(category) ? 'id' : 'slug'
  return `${status} ${given} ${kind} ${text === undefined ? '' : TRIGRAM.test(text) ? 'trigram' : 'words'}`
}

/** Requests that hold a filter, of which conditions read their values. */
type Filtered = { filter: ProductFilter }

function pageText(schema: string, request: ProductListRequest, places: Places<ProductListRequest>): string {
  const inCategory = isPerCategory(request)
  const { sort, asked, filter } = request
  const { select, joins, page } = columnsFor(schema, asked.fields, inCategory ? WALKED : {})
  const columns = [...new Set([...page, SORT_COLUMNS[sort]])].map((column) => `p.${column}`).join(', ')
  const conditions = conditionsOf(filter, places)
  const { where, orderBy } = places.seek(request.page, (later) => later.page)
  const walk = { columns, conditions, where, rest: `ORDER BY ${orderBy} ${limitClause(request.page)}` }
  const rows = inCategory
    ? walkEachCategory(schema, filter.category!, walk, places)
    : walkTogether(schema, request, walk, places)
  const selected = [select, asked.keyset(sort).select].filter(Boolean).join(', ')
  return `SELECT ${selected} FROM (${rows}) p ${joins} ORDER BY ${orderBy}`
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

function walkEachCategory(schema: string, category: string, walk: Walk, places: Places<ProductListRequest>): string {
  const conditions = ['p.category_id = k.id', ...walk.conditions, walk.where].join(' AND ')
  return `SELECT ${walk.columns}, k.name AS category_name FROM ${schema}.categories k
    CROSS JOIN LATERAL (SELECT ${walk.columns} FROM ${schema}.products p WHERE ${conditions} ${walk.rest}) p
    WHERE ${isBelow(schema, category, places)} ${walk.rest}`
}

function walkTogether(
  schema: string,
  request: ProductListRequest,
  walk: Walk,
  places: Places<ProductListRequest>,
): string {
  const { filter, sort, page } = request
  const conditions = [...walk.conditions, ...subtreeOf(schema, filter, places)].join(' AND ')
  const skip = page.offset > 0 ? `OFFSET ${places.add((later) => later.page.offset, 'bigint')}` : ''
  if (sort !== 'relevance')
    return `SELECT ${walk.columns} FROM ${schema}.products p WHERE ${conditions} AND ${walk.where} ${walk.rest} ${skip}`
  const columns = walk.columns.replace('p.rank', `ts_rank(p.search, ${wordsOf(places)}) AS rank`)
  return `SELECT ${walk.columns} FROM (SELECT ${columns} FROM ${schema}.products p WHERE ${conditions}) p
    WHERE ${walk.where} ${walk.rest} ${skip}`
}

function wordsOf<R extends Filtered>(places: Places<R>): string {
  return `websearch_to_tsquery('english', ${places.add(({ filter }) => filter.text, 'text')})`
}

function conditionsOf<R extends Filtered>(filter: ProductFilter, places: Places<R>): string[] {
  // The status is one of three words and stands in the text, so that the planner sees which partial index fits.
  const conditions = [`p.status = '${filter.status}'`]
  if (filter.merchantId !== undefined)
    conditions.push(`p.merchant_id = ${places.add((later) => later.filter.merchantId, 'bigint')}`)
  if (filter.minPrice !== undefined)
    conditions.push(`p.price >= ${places.add((later) => later.filter.minPrice, 'numeric')}`)
  if (filter.maxPrice !== undefined)
    conditions.push(`p.price <= ${places.add((later) => later.filter.maxPrice, 'numeric')}`)
  if (filter.text !== undefined) conditions.push(textCondition(filter.text, places))
  return conditions
}

/** Three letters or digits together: what a trigram index needs to be of any use. */
const TRIGRAM = /[\p{L}\p{N}]{3}/u

function textCondition<R extends Filtered>(text: string, places: Places<R>): string {
  const words = `p.search @@ ${wordsOf(places)}`
  if (!TRIGRAM.test(text)) return words
  return `(${words} OR p.title ILIKE ${places.add(({ filter }) => patternOf(filter.text!), 'text')})`
}

function subtreeOf<R extends Filtered>(schema: string, { category }: ProductFilter, places: Places<R>): string[] {
  if (category === undefined) return []
  return [`p.category_id IN (SELECT k.id FROM ${schema}.categories k WHERE ${isBelow(schema, category, places)})`]
}

/** Longer numbers are no ids, and would not fit a bigint: they are slugs. */
const CATEGORY_ID = /^[1-9][0-9]{0,15}$/

function isBelow<R extends Filtered>(schema: string, category: string, places: Places<R>): string {
  if (CATEGORY_ID.test(category)) return `k.path @> ARRAY[${places.add(({ filter }) => filter.category, 'bigint')}]`
  // Of an unknown slug the array holds a null, which no path contains.
  const root = `SELECT root.id FROM ${schema}.categories root WHERE root.slug = ${places.add(({ filter }) => filter.category, 'text')}`
  return `k.path @> ARRAY[(${root})]`
}
