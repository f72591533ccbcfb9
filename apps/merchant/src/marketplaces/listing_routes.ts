import { createKeyset, Id, json, OneOf, Page, pageQuery, problem, type Route, route, Text } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { type Gate, type Scope, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { IdParams, Moment, Price } from '../api/field.ts'
import type { ListParts } from '../api/list_answer.ts'
import { createTableList } from '../api/table_list.ts'
import type { ShopCaches } from '../caches/shop_caches.ts'
import { shopTags } from '../caches/shop_tags.ts'
import { type ConstraintProblems, explainConstraints, takenProblem } from '../database/constraint.ts'
import type { Parameters } from '../database/list_statement.ts'
import type { ShopEvents } from '../events/shop_events.ts'
import { LISTING_COLUMNS, type ListingStatements, listingStatements } from './listing_statements.ts'

/** What the routes of listings are made of. */
export interface ListingParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  gate: Gate
  caches: ShopCaches
  events: ShopEvents
}

const listingStatuses = ['pending', 'live', 'ended'] as const

const Listing = Type.Object({
  id: Id,
  marketplaceId: Id,
  productId: Id,
  merchantId: Id,
  externalId: Type.String({ description: "The marketplace's own number.", examples: ['B00X4WHP5E'] }),
  status: OneOf(listingStatuses),
  price: Price,
  updatedAt: Moment,
})

type Listing = Static<typeof Listing>

const ListQuery = Type.Object({
  ...ScopeQuery,
  marketplace: Type.Optional(Id),
  product: Type.Optional(Id),
  status: Type.Optional(OneOf(listingStatuses)),
  ...pageQuery,
})

type ListQuery = Static<typeof ListQuery>

const KEYSET = createKeyset([{ sql: 'l.id', type: 'bigint' }])
const tags = ['marketplaces']
const security = ['bearer']

/** The routes of listings. */
export function listingRoutes(parts: ListingParts): Route[] {
  const statements = listingStatements(parts.schema)
  return [listRoute(parts), showRoute(parts, statements), putRoute(parts, statements)]
}

function listRoute(parts: ListingParts): Route {
  const list = createTableList<ListQuery>(parts, {
    operation: 'listListings',
    columns: LISTING_COLUMNS,
    from: `${parts.schema}.listings l JOIN ${parts.schema}.products p ON p.id = l.product_id`,
    conditions: conditionsOf,
    source: parts.caches.sourceOf(parts.database),
  })
  return route({
    method: 'GET',
    path: '/listings',
    id: 'listListings',
    summary: 'Where products are listed',
    tags,
    security,
    use: [parts.gate.required],
    schema: { query: ListQuery, response: { 200: Page(Listing) } },
    handler({ query, exchange }) {
      const scope = scopeOf(exchange, query.merchant)
      return parts.caches.listings.answer(questionOf(query, scope), async (loading) => {
        // Listings end with their product.
        loading.addTags(shopTags.listings(scope), scope === null ? shopTags.catalogue : shopTags.catalogueOf(scope))
        return json(await list(query, scope, KEYSET))
      })
    },
  })
}

/** With whose listings they are: a merchant's pages are under keys of its own. */
function questionOf({ marketplace, product, status, limit, cursor, total }: ListQuery, scope: Scope): string {
  return JSON.stringify([scope, marketplace, product, status, limit, cursor, total])
}

function conditionsOf({ marketplace, product, status }: ListQuery, scope: Scope, parameters: Parameters): string[] {
  const conditions: string[] = []
  if (scope !== null) conditions.push(`p.merchant_id = ${parameters.add(scope, 'bigint')}`)
  if (marketplace) conditions.push(`l.marketplace_id = ${parameters.add(marketplace, 'bigint')}`)
  if (product) conditions.push(`l.product_id = ${parameters.add(product, 'bigint')}`)
  if (status) conditions.push(`l.status = '${status}'`)
  return conditions
}

function showRoute({ database, gate }: ListingParts, statements: ListingStatements): Route {
  return route({
    method: 'GET',
    path: '/listings/:id',
    id: 'showListing',
    summary: 'One listing',
    tags,
    security,
    use: [gate.required],
    schema: { params: IdParams, query: Type.Object({ ...ScopeQuery }), response: { 200: Listing } },
    async handler({ params, query, exchange }) {
      const { rows } = await database.query<Listing>(statements.one, [params.id, scopeOf(exchange, query.merchant)])
      if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no listing ${params.id}.`)
      return rows[0]
    },
  })
}

function putRoute({ database, gate, caches, events }: ListingParts, statements: ListingStatements): Route {
  return route({
    method: 'PUT',
    path: '/products/:id/listings/:marketplace',
    id: 'putListing',
    summary: 'List a product on a marketplace, or change how it is listed',
    tags,
    security,
    use: [gate.required],
    schema: {
      params: Type.Object({ id: Id, marketplace: Id }),
      query: Type.Object({ ...ScopeQuery }),
      body: Type.Object({
        externalId: Text(100),
        price: Price,
        status: Type.Optional(OneOf(listingStatuses)),
      }),
      response: { 200: Listing },
    },
    async handler({ params, query, body: { externalId, price, status = 'live' }, exchange }) {
      const scope = scopeOf(exchange, query.merchant)
      const values = [params.marketplace, params.id, externalId, status, price, scope]
      const put = () =>
        database.transaction(async (tx) => {
          const { rows } = await tx.query<Listing>(statements.put, values)
          const [listing] = rows
          if (!listing) return undefined
          const { merchantId, productId } = listing
          await caches.changes.listing(tx, merchantId)
          await events.publish(tx, [{ topic: 'product.updated', body: { productId, merchantId } }])
          return listing
        })
      const listing = await explainConstraints(put, PROBLEMS)
      if (!listing) throw problem(404, 'E_NOT_FOUND', `There is no product ${params.id}.`)
      return json(listing)
    },
  })
}

const PROBLEMS: ConstraintProblems = {
  listings_marketplace_id_external_id_key: () =>
    takenProblem('E_LISTING_TAKEN', 'externalId', 'Another product is listed there under this number.'),
  listings_marketplace_id_fkey: () => problem(404, 'E_NOT_FOUND', 'There is no such marketplace.'),
}
