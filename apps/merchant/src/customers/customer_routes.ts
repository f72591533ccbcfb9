import {
  createKeyset,
  Email,
  json,
  type Keyset,
  OneOf,
  offsetQuery,
  Page,
  pageQuery,
  problem,
  type Route,
  route,
  Text,
} from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { type Gate, ownerOf, type Scope, ScopeQuery, scopeOf } from '../accounts/caller.ts'
import { IdParams } from '../api/field.ts'
import type { ListParts } from '../api/list_answer.ts'
import { createTableList } from '../api/table_list.ts'
import type { ShopChanges } from '../caches/shop_changes.ts'
import { type ConstraintProblems, explainConstraints, takenProblem } from '../database/constraint.ts'
import { type Parameters, partOf } from '../database/list_statement.ts'
import type { ShopEvents } from '../events/shop_events.ts'
import { type Customer, customerPatchSchema, customerSchema, newCustomerSchema } from './customer.ts'
import { CUSTOMER_COLUMNS, type CustomerStatements } from './customer_statements.ts'

/** What the routes of customers are made of. */
export interface CustomerParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  statements: CustomerStatements
  gate: Gate
  changes: ShopChanges
  events: ShopEvents
}

const ListQuery = Type.Object({
  ...ScopeQuery,
  email: Type.Optional(Email),
  country: Type.Optional(Text(60)),
  q: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'A part of the name.' })),
  sort: Type.Optional(OneOf(['-created', 'created'])),
  ...pageQuery,
  ...offsetQuery,
})

type ListQuery = Static<typeof ListQuery>

const Query = Type.Object({ ...ScopeQuery })
const tags = ['customers']
const security = ['bearer']

/** The routes of customers. */
export function customerRoutes(parts: CustomerParts): Route[] {
  return [listRoute(parts), showRoute(parts), createRoute(parts), changeRoute(parts)]
}

function keysetOf(direction: 'asc' | 'desc'): Keyset {
  return createKeyset([
    { sql: 'c.created_at', type: 'timestamptz', direction },
    { sql: 'c.id', type: 'bigint', direction },
  ])
}

const KEYSETS = { '-created': keysetOf('desc'), created: keysetOf('asc') }

function listRoute(parts: CustomerParts): Route {
  const list = createTableList<ListQuery>(parts, {
    operation: 'listCustomers',
    columns: CUSTOMER_COLUMNS,
    from: `${parts.schema}.customers c`,
    conditions: conditionsOf,
    isNamed: ({ q, email, country }) => (q ?? email ?? country) === undefined,
  })
  return route({
    method: 'GET',
    path: '/customers',
    id: 'listCustomers',
    summary: 'Customers, the newest first',
    tags,
    security,
    use: [parts.gate.required],
    schema: { query: ListQuery, response: { 200: Page(customerSchema) } },
    handler: ({ query, exchange }) => list(query, scopeOf(exchange, query.merchant), KEYSETS[query.sort ?? '-created']),
  })
}

function conditionsOf({ email, country, q }: ListQuery, scope: Scope, parameters: Parameters): string[] {
  const conditions: string[] = []
  if (scope !== null) conditions.push(`c.merchant_id = ${parameters.add(scope, 'bigint')}`)
  if (email !== undefined) conditions.push(`lower(c.email) = lower(${parameters.add(email, 'text')})`)
  if (country !== undefined) conditions.push(`c.country = ${parameters.add(country, 'text')}`)
  if (q !== undefined) conditions.push(`c.name ILIKE ${partOf(q, parameters)}`)
  return conditions
}

function showRoute({ database, statements, gate }: CustomerParts): Route {
  return route({
    method: 'GET',
    path: '/customers/:id',
    id: 'showCustomer',
    summary: 'One customer',
    tags,
    security,
    use: [gate.required],
    schema: { params: IdParams, query: Query, response: { 200: customerSchema } },
    async handler({ params, query, exchange }) {
      const { rows } = await database.query<Customer>(statements.one, [params.id, scopeOf(exchange, query.merchant)])
      return found(rows[0], params.id)
    },
  })
}

function createRoute({ database, statements, gate, events }: CustomerParts): Route {
  return route({
    method: 'POST',
    path: '/customers',
    id: 'createCustomer',
    summary: 'Add a customer',
    tags,
    security,
    use: [gate.required],
    schema: { query: Query, body: newCustomerSchema, response: { 201: customerSchema } },
    async handler({ query, body: { name, country, email, externalId }, exchange }) {
      const values = [ownerOf(exchange, query.merchant), name, country, email ?? null, externalId ?? null]
      const insert = () =>
        database.transaction(async (tx) => {
          const { rows } = await tx.query<Customer>(statements.insert, values)
          const { id: customerId, merchantId } = rows[0]!
          await events.publish(tx, [{ topic: 'customer.created', body: { customerId, merchantId } }])
          return rows[0]!
        })
      const customer = await explainConstraints(insert, PROBLEMS)
      return json(customer, { status: 201, headers: { location: `${exchange.path}/${customer.id}` } })
    },
  })
}

function changeRoute({ database, statements, gate, changes }: CustomerParts): Route {
  return route({
    method: 'PATCH',
    path: '/customers/:id',
    id: 'changeCustomer',
    summary: 'Change some fields of a customer',
    tags,
    security,
    use: [gate.required],
    schema: { params: IdParams, query: Query, body: customerPatchSchema, response: { 200: customerSchema } },
    async handler({ params, query, body: { name, country, email, externalId }, exchange }) {
      const scope = scopeOf(exchange, query.merchant)
      const optional = [email ?? null, email !== undefined, externalId ?? null, externalId !== undefined]
      const values = [params.id, scope, name ?? null, country ?? null, ...optional]
      const update = () =>
        database.transaction(async (tx) => {
          const { rows } = await tx.query<Customer>(statements.update, values)
          // Figures name customers.
          if (rows[0]) await changes.customer(tx, rows[0].merchantId)
          return rows[0]
        })
      return found(await explainConstraints(update, PROBLEMS), params.id)
    },
  })
}

function found(customer: Customer | undefined, id: number): Customer {
  if (!customer) throw problem(404, 'E_NOT_FOUND', `There is no customer ${id}.`)
  return customer
}

const PROBLEMS: ConstraintProblems = {
  customers_merchant_id_external_id_key: () =>
    takenProblem('E_CUSTOMER_EXISTS', 'externalId', 'Another customer of the merchant has this external number.'),
}
