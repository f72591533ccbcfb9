import {
  createFields,
  fieldsQuery,
  Id,
  json,
  OneOf,
  offsetQuery,
  openPage,
  Page,
  pageQuery,
  problem,
  type Route,
  route,
  type Selection,
  unauthenticated,
} from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { callerOf, type Gate, scopeOf } from '../accounts/caller.ts'
import { IdParams, Price } from '../api/field.ts'
import { answerList, type ListParts } from '../api/list_answer.ts'
import {
  type Product,
  type ProductField,
  productFields,
  productSchema,
  productStatuses,
  productSummarySchema,
} from './product.ts'
import type { ProductCache } from './product_cache.ts'
import { momentFields } from './product_columns.ts'
import {
  type AskedFields,
  askFields,
  createProductList,
  type ProductFilter,
  type ProductSort,
  productSorts,
} from './product_list.ts'
import type { ProductStatements } from './product_statements.ts'
import { tagOf } from './product_version.ts'

/** What reading the catalogue is made of. */
export interface ProductParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  statements: ProductStatements
  cache: ProductCache
  gate: Gate
}

const ListQuery = Type.Object({
  category: Type.Optional(
    Type.String({
      pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
      maxLength: 80,
      description: 'Id or slug of a category; its whole subtree is meant.',
      examples: ['home-decor'],
    }),
  ),
  merchant: Type.Optional(Id),
  minPrice: Type.Optional(Price),
  maxPrice: Type.Optional(Price),
  status: Type.Optional(OneOf(productStatuses)),
  q: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 100,
      description: 'Words in title or description, or a part of the title.',
    }),
  ),
  sort: Type.Optional(OneOf(productSorts)),
  ...fieldsQuery,
  ...pageQuery,
  ...offsetQuery,
})

type ListQuery = Static<typeof ListQuery>

/** The open routes of the catalogue. */
export function productRoutes(parts: ProductParts): Route[] {
  return [listProducts(parts), showProduct(parts)]
}

function listProducts(parts: ProductParts): Route {
  const list = createProductList(parts.schema)
  const askedOf = fieldReader()

  return route({
    method: 'GET',
    path: '/products',
    id: 'listProducts',
    summary: 'Products by category, merchant, price, status and text',
    description:
      'Sorted by `sort` (a minus means descending); without it by relevance when there is a text, else the newest first. Drafts are shown to their merchant alone.',
    tags: ['catalogue'],
    use: [parts.gate.optional],
    schema: { query: ListQuery, response: { 200: Page(Type.Partial(productSummarySchema)) } },
    async handler({ query, exchange }) {
      const { asked, moments } = askedOf(query.fields)
      const filter = visibleFilter(query, scopeOf(exchange, query.merchant))
      const sort = sortOf(query)
      const page = openPage({
        cursors: parts.cursors,
        keyset: asked.keyset(sort),
        operation: 'listProducts',
        filters: { ...filter },
        ...query,
      })
      return answerList(parts, page, {
        rows: list.page({ filter, sort, asked, page }),
        count: query.total ? list.count({ filter }) : undefined,
        moments,
      })
    },
  })
}

/** Reads `?fields=`, and keeps what follows from it for as long as the selection is remembered. */
function fieldReader() {
  const fields = createFields(productSummarySchema)
  const known = new WeakMap<Selection, { asked: AskedFields; moments: readonly ProductField[] }>()
  return (text: string | undefined) => {
    const selection = fields.parse(text)
    const before = known.get(selection)
    if (before) return before
    const asked = askFields(productFields.filter(selection.has))
    const made = { asked, moments: momentFields.filter((field) => asked.fields.includes(field)) }
    known.set(selection, made)
    return made
  }
}

function sortOf({ sort, q }: ListQuery): ProductSort {
  if (sort === 'relevance' && q === undefined)
    throw problem(400, 'E_VALIDATION', 'The request is not valid.', {
      errors: [{ path: '/query/sort', message: 'relevance needs a text to be relevant to: q', code: 'conflict' }],
    })
  return sort ?? (q === undefined ? '-created' : 'relevance')
}

/** Drafts are nobody's business but their merchant's. */
function visibleFilter(query: ListQuery, scope: number | null): ProductFilter {
  const { category, merchant, minPrice, maxPrice, q, status = 'active' } = query
  const filter = { category, merchantId: merchant, minPrice, maxPrice, text: q, status }
  if (status !== 'draft' || scope === null) return filter
  if (scope === 0 && merchant === undefined) throw unauthenticated('Drafts are shown to their merchant alone.')
  return { ...filter, merchantId: scope }
}

function showProduct({ database, statements, cache, gate }: ProductParts): Route {
  const fields = createFields(productSchema)
  const load = async (id: number) => {
    const { rows } = await database.query<Product>(statements.one, [id])
    return rows[0]
  }
  return route({
    method: 'GET',
    path: '/products/:id',
    id: 'showProduct',
    summary: 'One product with its images',
    tags: ['catalogue'],
    use: [gate.optional],
    schema: {
      params: IdParams,
      query: Type.Object({ ...fieldsQuery }),
      response: { 200: Type.Partial(productSchema) },
    },
    async handler({ params, query, exchange }) {
      const selection = fields.parse(query.fields)
      const product = await cache.get(params.id, () => load(params.id))
      if (!product || !isVisible(product, callerOf(exchange)))
        throw problem(404, 'E_NOT_FOUND', `There is no product ${params.id}.`)
      return json(selection.pick(product), { headers: { etag: tagOf(product) } })
    },
  })
}

function isVisible({ status, merchantId }: Product, caller: ReturnType<typeof callerOf>): boolean {
  if (status !== 'draft' || caller?.kind === 'admin') return true
  return caller?.merchantId === merchantId
}
