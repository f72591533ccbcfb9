import { createKeyset, Id, Page, pageQuery, problem, type Route, route } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import { IdParams, Moment, Slug } from '../api/field.ts'
import type { ListParts } from '../api/list_answer.ts'
import { createTableList } from '../api/table_list.ts'
import { type AccountStatements, MERCHANT_COLUMNS } from './account_statements.ts'
import { type Gate, scopeOf } from './caller.ts'

/** What the routes of merchants are made of. */
export interface MerchantRouteParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  statements: AccountStatements
  gate: Gate
}

const MerchantView = Type.Object({
  id: Id,
  slug: Slug,
  name: Type.String({ examples: ['Northern Gifts'] }),
  currency: Type.String({ examples: ['GBP'] }),
  timeZone: Type.String({ examples: ['Europe/London'] }),
  createdAt: Moment,
})

const ListQuery = Type.Object({ ...pageQuery })
const KEYSET = createKeyset([{ sql: 'm.id', type: 'bigint' }])

/** The routes that show merchants: to itself, and all to administrators. */
export function merchantRoutes(parts: MerchantRouteParts): Route[] {
  return [listRoute(parts), showRoute(parts)]
}

function listRoute(parts: MerchantRouteParts): Route {
  const list = createTableList<Static<typeof ListQuery>>(parts, {
    operation: 'listMerchants',
    columns: MERCHANT_COLUMNS,
    from: `${parts.schema}.merchants m`,
    conditions: (_query, scope, parameters) => (scope === null ? [] : [`m.id = ${parameters.add(scope, 'bigint')}`]),
  })
  return route({
    method: 'GET',
    path: '/merchants',
    id: 'listMerchants',
    summary: 'The merchants that the caller may see',
    tags: ['accounts'],
    security: ['bearer'],
    use: [parts.gate.required],
    schema: { query: ListQuery, response: { 200: Page(MerchantView) } },
    handler: ({ query, exchange }) => list(query, scopeOf(exchange, undefined), KEYSET),
  })
}

function showRoute({ database, statements, gate }: MerchantRouteParts): Route {
  return route({
    method: 'GET',
    path: '/merchants/:id',
    id: 'showMerchant',
    summary: 'One merchant',
    tags: ['accounts'],
    security: ['bearer'],
    use: [gate.required],
    schema: { params: IdParams, response: { 200: MerchantView } },
    async handler({ params, exchange }) {
      // Asked for another merchant, a merchant's scope is nobody's, and nobody is found.
      const scope = scopeOf(exchange, params.id)
      const { rows } = await database.query<Static<typeof MerchantView>>(statements.merchantById, [scope])
      if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no merchant ${params.id}.`)
      return rows[0]
    },
  })
}
