import { createFields, fieldsQuery, json, Page, problem, type Route, route } from '@tailwater/http'
import { Type } from 'typebox'
import { callerOf, type Gate, scopeOf } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import type { ProductCache } from '../caches/shop_caches.ts'
import { type Product, productSchema, productSummarySchema } from './product.ts'
import { type ProductPages, productListQuery } from './product_pages.ts'
import { tagOf } from './product_version.ts'

/** What reading the catalogue is made of. */
export interface ProductParts {
  products: ProductCache
  pages: ProductPages
  gate: Gate
}

/** The open routes of the catalogue. */
export function productRoutes(parts: ProductParts): Route[] {
  return [listProducts(parts), showProduct(parts)]
}

function listProducts(parts: ProductParts): Route {
  return route({
    method: 'GET',
    path: '/products',
    id: 'listProducts',
    summary: 'Products by category, merchant, price, status and text',
    description:
      'Sorted by `sort` (a minus means descending); without it by relevance when there is a text, else the newest first. Drafts are shown to their merchant alone.',
    tags: ['catalogue'],
    use: [parts.gate.optional],
    schema: { query: productListQuery, response: { 200: Page(Type.Partial(productSummarySchema)) } },
    handler: ({ query, exchange }) => parts.pages(query, scopeOf(exchange, query.merchant)),
  })
}

function showProduct({ products, gate }: ProductParts): Route {
  const fields = createFields(productSchema)
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
      const product = await products.get(params.id)
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
