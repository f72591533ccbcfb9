import { createKeyset, Id, type Keyset, OneOf, offsetQuery, Page, pageQuery, type Route, route } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { type Gate, type Scope, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { Instant } from '../api/field.ts'
import type { ListParts } from '../api/list_answer.ts'
import { createTableList } from '../api/table_list.ts'
import type { Parameters } from '../database/list_statement.ts'
import { orderKinds, orderStatuses, orderSummarySchema } from './order.ts'

/** What listing orders is made of. */
export interface OrderListParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  gate: Gate
}

const Query = Type.Object({
  ...ScopeQuery,
  status: Type.Optional(OneOf(orderStatuses)),
  kind: Type.Optional(OneOf(orderKinds)),
  customer: Type.Optional(Id),
  marketplace: Type.Optional(Id),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  sort: Type.Optional(OneOf(['-placed', 'placed'])),
  ...pageQuery,
  ...offsetQuery,
})

type Query = Static<typeof Query>

function keysetOf(direction: 'asc' | 'desc'): Keyset {
  return createKeyset([
    { sql: 'o.placed_at', type: 'timestamptz', direction },
    { sql: 'o.id', type: 'bigint', direction },
  ])
}

const KEYSETS = { '-placed': keysetOf('desc'), placed: keysetOf('asc') }

const COLUMNS = `o.id::float8 AS id, o.merchant_id::float8 AS "merchantId", o.kind, o.status,
  o.customer_id::float8 AS "customerId", o.marketplace_id::float8 AS "marketplaceId",
  o.returns_order_id::float8 AS "returnsOrderId", o.external_id AS "externalId", o.country, m.currency,
  o.total::float8 AS total, o.placed_at AS "placedAt"`

/** The route that lists orders. */
export function orderListRoute(parts: OrderListParts): Route {
  const { schema, gate } = parts
  const list = createTableList<Query>(parts, {
    operation: 'listOrders',
    columns: COLUMNS,
    from: `${schema}.orders o`,
    joins: `LEFT JOIN ${schema}.merchants m ON m.id = o.merchant_id`,
    conditions: conditionsOf,
  })
  return route({
    method: 'GET',
    path: '/orders',
    id: 'listOrders',
    summary: 'Orders and returns, the newest first',
    tags: ['orders'],
    security: ['bearer'],
    use: [gate.required],
    schema: { query: Query, response: { 200: Page(orderSummarySchema) } },
    handler: ({ query, exchange }) => list(query, scopeOf(exchange, query.merchant), KEYSETS[query.sort ?? '-placed']),
  })
}

/** Status and kind are few words and stand in the text, so that the planner sees which partial index fits. */
function conditionsOf(query: Query, scope: Scope, parameters: Parameters): string[] {
  const conditions: string[] = []
  if (scope !== null) conditions.push(`o.merchant_id = ${parameters.add(scope, 'bigint')}`)
  if (query.status) conditions.push(`o.status = '${query.status}'`)
  if (query.kind) conditions.push(`o.kind = '${query.kind}'`)
  if (query.customer) conditions.push(`o.customer_id = ${parameters.add(query.customer, 'bigint')}`)
  if (query.marketplace) conditions.push(`o.marketplace_id = ${parameters.add(query.marketplace, 'bigint')}`)
  if (query.from) conditions.push(`o.placed_at >= ${parameters.add(query.from, 'timestamptz')}`)
  if (query.to) conditions.push(`o.placed_at < ${parameters.add(query.to, 'timestamptz')}`)
  return conditions
}
