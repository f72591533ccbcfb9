import {
  createFields,
  fieldsQuery,
  Id,
  json,
  OneOf,
  offsetQuery,
  openPage,
  pageQuery,
  problem,
  type Reply,
  type Selection,
  unauthenticated,
} from '@tailwater/http'
import { type Static, Type } from 'typebox'
import type { Scope } from '../accounts/caller.ts'
import { Price } from '../api/field.ts'
import { answerList, type ListParts } from '../api/list_answer.ts'
import type { Loading } from '../caches/answers.ts'
import type { ShopCaches } from '../caches/shop_caches.ts'
import { type ProductField, productFields, productStatuses, productSummarySchema } from './product.ts'
import { momentFields } from './product_columns.ts'
import {
  type AskedFields,
  askFields,
  createProductList,
  type ProductFilter,
  type ProductSort,
  productSorts,
} from './product_list.ts'
import { answersFor, placeTags, questionOf, shownTags, totalsOf, UNKEPT } from './product_list_keeping.ts'

/** The query parameters of the product list. */
export const productListQuery = Type.Object({
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

/** What is asked of the product list. */
export type ProductListQuery = Static<typeof productListQuery>

/** What the product list is made of. */
export interface ProductPageParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  caches: ShopCaches
}

/** Answers for a page of the product list. @param scope whose drafts may be seen */
export type ProductPages = (query: ProductListQuery, scope: Scope) => Promise<Reply>

/** Builds the pages of the product list: kept ones as they were sent before, others read from the database. */
export function createProductPages(parts: ProductPageParts): ProductPages {
  const list = createProductList(parts.schema)
  const from = parts.caches.sourceOf(parts.database)
  const askedOf = fieldReader()

  async function read(wanted: Wanted, loading: Loading): Promise<Reply> {
    const { query, filter, sort, asked, moments } = wanted
    const page = openPage({
      cursors: parts.cursors,
      keyset: asked.keyset(sort),
      operation: 'listProducts',
      filters: { ...filter },
      ...query,
    })
    const places = placeTags(filter)
    const answer = await answerList({ ...parts, totals: totalsOf(parts, places) }, page, {
      rows: list.page({ filter, sort, asked, page }),
      count: query.total ? list.count({ filter }) : undefined,
      moments,
      from,
    })
    loading.addTags(...places, ...shownTags(answer.data))
    return json(answer)
  }

  return async (query, scope) => {
    const { asked, moments } = askedOf(query.fields)
    const filter = visibleFilter(query, scope)
    const wanted = { query, filter, sort: sortOf(query), asked, moments }
    const answers = answersFor(parts.caches, filter)
    if (!answers) return read(wanted, UNKEPT)
    return answers.answer(questionOf(filter, wanted.sort, asked.name, query), (loading) => read(wanted, loading))
  }
}

interface Wanted {
  query: ProductListQuery
  filter: ProductFilter
  sort: ProductSort
  asked: AskedFields
  moments: readonly ProductField[]
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

function sortOf({ sort, q }: ProductListQuery): ProductSort {
  if (sort === 'relevance' && q === undefined)
    throw problem(400, 'E_VALIDATION', 'The request is not valid.', {
      errors: [{ path: '/query/sort', message: 'relevance needs a text to be relevant to: q', code: 'conflict' }],
    })
  return sort ?? (q === undefined ? '-created' : 'relevance')
}

/** Drafts are nobody's business but their merchant's. */
function visibleFilter(query: ProductListQuery, scope: number | null): ProductFilter {
  const { category, merchant, minPrice, maxPrice, q, status = 'active' } = query
  const filter = { category, merchantId: merchant, minPrice, maxPrice, text: q, status }
  if (status !== 'draft' || scope === null) return filter
  if (scope === 0 && merchant === undefined) throw unauthenticated('Drafts are shown to their merchant alone.')
  return { ...filter, merchantId: scope }
}
