import { createKeyset, Id, json, Nullable, Page, pageQuery, problem, type Route, route, Text } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { IdParams, Moment } from '../api/field.ts'
import type { ListParts } from '../api/list_answer.ts'
import { createTableList } from '../api/table_list.ts'
import { type AccountStatements, KEY_COLUMNS } from './account_statements.ts'
import { createApiKey } from './api_key.ts'
import { type Gate, ownerOf, ScopeQuery, scopeOf } from './caller.ts'

/** What the routes of API keys are made of. */
export interface ApiKeyParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  statements: AccountStatements
  gate: Gate
}

const KeyView = Type.Object({ id: Id, name: Type.String(), createdAt: Moment, revokedAt: Nullable(Moment) })
const NewKey = Type.Object({
  id: Id,
  name: Type.String(),
  key: Type.String({ description: 'Shown this once: only its hash is kept.', examples: ['tw_live_…'] }),
  createdAt: Moment,
})
const Query = Type.Object({ ...ScopeQuery })
const ListQuery = Type.Object({ ...ScopeQuery, ...pageQuery })
const KEYSET = createKeyset([{ sql: 'k.id', type: 'bigint' }])
const tags = ['accounts']
const security = ['bearer']

/** The routes by which API keys are made, seen and revoked. */
export function apiKeyRoutes(parts: ApiKeyParts): Route[] {
  return [listRoute(parts), createRoute(parts), revokeRoute(parts)]
}

function listRoute(parts: ApiKeyParts): Route {
  const list = createTableList<Static<typeof ListQuery>>(parts, {
    operation: 'listApiKeys',
    columns: KEY_COLUMNS,
    from: `${parts.schema}.api_keys k`,
    conditions: (_query, scope, parameters) =>
      scope === null ? [] : [`k.merchant_id = ${parameters.add(scope, 'bigint')}`],
  })
  return route({
    method: 'GET',
    path: '/api-keys',
    id: 'listApiKeys',
    summary: "A merchant's API keys, without their secrets",
    tags,
    security,
    use: [parts.gate.required],
    schema: { query: ListQuery, response: { 200: Page(KeyView) } },
    handler: ({ query, exchange }) => list(query, scopeOf(exchange, query.merchant), KEYSET),
  })
}

function createRoute({ database, statements, gate }: ApiKeyParts): Route {
  return route({
    method: 'POST',
    path: '/api-keys',
    id: 'createApiKey',
    summary: 'Make an API key',
    tags,
    security,
    use: [gate.required],
    schema: { query: Query, body: Type.Object({ name: Text(100) }), response: { 201: NewKey } },
    async handler({ query, body, exchange }) {
      const made = await createApiKey(database, statements, ownerOf(exchange, query.merchant), body.name)
      if (!made) throw problem(404, 'E_NOT_FOUND', `There is no merchant ${query.merchant}.`)
      return json(made, { status: 201, headers: { 'cache-control': 'no-store' } })
    },
  })
}

function revokeRoute({ database, statements, gate }: ApiKeyParts): Route {
  return route({
    method: 'DELETE',
    path: '/api-keys/:id',
    id: 'revokeApiKey',
    summary: 'Revoke an API key, and with it the tokens made from it',
    tags,
    security,
    use: [gate.required],
    schema: { params: IdParams, query: Query, response: { 200: KeyView } },
    async handler({ params, query, exchange }) {
      const scope = scopeOf(exchange, query.merchant)
      const { rows } = await database.query<Static<typeof KeyView>>(statements.revokeKey, [params.id, scope])
      if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no API key ${params.id}.`)
      return rows[0]
    },
  })
}
