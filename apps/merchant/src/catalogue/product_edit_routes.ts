import { json, noContent, type Route, route } from '@tailwater/http'
import { Type } from 'typebox'
import { type Gate, ownerOf, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import { type NewProduct, newProductSchema, type Product, productPatchSchema, productSchema } from './product.ts'
import { changeProduct, createProduct, type EditingParts, removeProduct } from './product_editing.ts'
import { expectedVersion, tagOf } from './product_version.ts'

/** What editing the catalogue is made of. */
export interface ProductEditParts extends EditingParts {
  gate: Gate
}

const Query = Type.Object({ ...ScopeQuery })
const Headers = Type.Object({
  'if-match': Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'ETag of the product as it was read: the change is refused if it has changed since.',
    }),
  ),
})
const tags = ['catalogue']

/** The routes by which a merchant keeps its products. */
export function productEditRoutes(parts: ProductEditParts): Route[] {
  return [createRoute(parts), replaceRoute(parts), patchRoute(parts), removeRoute(parts)]
}

async function show({ database, statements }: EditingParts, id: number, status = 200, headers = {}) {
  const { rows } = await database.query<Product>(statements.one, [id])
  const product = rows[0]!
  return json(product, { status, headers: { etag: tagOf(product), ...headers } })
}

function createRoute(parts: ProductEditParts): Route {
  return route({
    method: 'POST',
    path: '/products',
    id: 'createProduct',
    summary: 'Add a product',
    tags,
    security: ['bearer'],
    use: [parts.gate.required],
    schema: { query: Query, body: newProductSchema, response: { 201: productSchema } },
    async handler({ query, body, exchange }) {
      const id = await createProduct(parts, ownerOf(exchange, query.merchant), body)
      return show(parts, id, 201, { location: `${exchange.path}/${id}` })
    },
  })
}

function replaceRoute(parts: ProductEditParts): Route {
  return route({
    method: 'PUT',
    path: '/products/:id',
    id: 'replaceProduct',
    summary: 'Replace a product',
    description: 'Fields that are not given get their defaults; stock stays as it is unless `onHand` is given.',
    tags,
    security: ['bearer'],
    use: [parts.gate.required],
    schema: {
      params: IdParams,
      query: Query,
      headers: Headers,
      body: newProductSchema,
      response: { 200: productSchema },
    },
    async handler({ params, query, headers, body, exchange }) {
      const target = {
        id: params.id,
        scope: scopeOf(exchange, query.merchant),
        version: expectedVersion(headers['if-match']),
      }
      await changeProduct(parts, target, complete(body))
      return show(parts, params.id)
    },
  })
}

function complete(product: NewProduct): NewProduct {
  return { description: '', status: 'active', images: [], ...product }
}

function patchRoute(parts: ProductEditParts): Route {
  return route({
    method: 'PATCH',
    path: '/products/:id',
    id: 'changeProduct',
    summary: 'Change some fields of a product',
    tags,
    security: ['bearer'],
    use: [parts.gate.required],
    schema: {
      params: IdParams,
      query: Query,
      headers: Headers,
      body: productPatchSchema,
      response: { 200: productSchema },
    },
    async handler({ params, query, headers, body, exchange }) {
      const target = {
        id: params.id,
        scope: scopeOf(exchange, query.merchant),
        version: expectedVersion(headers['if-match']),
      }
      await changeProduct(parts, target, body)
      return show(parts, params.id)
    },
  })
}

function removeRoute(parts: ProductEditParts): Route {
  return route({
    method: 'DELETE',
    path: '/products/:id',
    id: 'removeProduct',
    summary: 'Remove a product',
    description:
      'A product that was ever ordered or listed is archived, because orders and marketplaces keep pointing at it.',
    tags,
    security: ['bearer'],
    use: [parts.gate.required],
    schema: { params: IdParams, query: Query, headers: Headers, response: { 204: undefined } },
    async handler({ params, query, headers, exchange }) {
      const target = {
        id: params.id,
        scope: scopeOf(exchange, query.merchant),
        version: expectedVersion(headers['if-match']),
      }
      await removeProduct(parts, target)
      return noContent()
    },
  })
}
