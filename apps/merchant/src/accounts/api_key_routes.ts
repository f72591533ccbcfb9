import { Id, json, Nullable, problem, type Route, route, Text } from '@tailwater/http'
import type { Database } from '@tailwater/postgres'
import { type Static, Type } from 'typebox'
import { IdParams, Moment } from '../api/field.ts'
import type { AccountStatements } from './account_statements.ts'
import { createApiKey } from './api_key.ts'
import { type Gate, ownerOf, ScopeQuery, scopeOf } from './caller.ts'

/** What the routes of API keys are made of. */
export interface ApiKeyParts {
  database: Database
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
const tags = ['accounts']
const security = ['bearer']

/** The routes by which API keys are made, seen and revoked. */
export function apiKeyRoutes(parts: ApiKeyParts): Route[] {
  return [listRoute(parts), createRoute(parts), revokeRoute(parts)]
}

function listRoute({ database, statements, gate }: ApiKeyParts): Route {
  return route({
    method: 'GET',
    path: '/api-keys',
    id: 'listApiKeys',
    summary: "A merchant's API keys, without their secrets",
    tags,
    security,
    use: [gate.required],
    schema: { query: Query, response: { 200: Type.Object({ data: Type.Array(KeyView) }) } },
    async handler({ query, exchange }) {
      const { rows } = await database.query<Static<typeof KeyView>>(statements.keysOfMerchant, [
        scopeOf(exchange, query.merchant),
      ])
      return { data: rows }
    },
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
