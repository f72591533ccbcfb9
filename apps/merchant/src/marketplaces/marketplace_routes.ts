import { createKeyset, Id, Page, pageQuery, problem, type Route, route } from '@tailwater/http'
import { type Static, Type } from 'typebox'
import type { Gate } from '../accounts/caller.ts'
import { IdParams, Slug } from '../api/field.ts'
import type { ListParts } from '../api/list_answer.ts'
import { createTableList } from '../api/table_list.ts'
import { MARKETPLACE_COLUMNS, marketplaceStatements } from './marketplace_statements.ts'

/** What the routes of marketplaces are made of. */
export interface MarketplaceParts extends ListParts {
  /** Quoted and ready to interpolate. */
  schema: string
  gate: Gate
}

const Marketplace = Type.Object({ id: Id, slug: Slug, name: Type.String({ examples: ['Bazaar'] }) })
const ListQuery = Type.Object({ ...pageQuery })
const KEYSET = createKeyset([{ sql: 'k.id', type: 'bigint' }])

/** The routes that show marketplaces, the same for every caller. */
export function marketplaceRoutes(parts: MarketplaceParts): Route[] {
  return [listRoute(parts), showRoute(parts)]
}

function listRoute(parts: MarketplaceParts): Route {
  const list = createTableList<Static<typeof ListQuery>>(parts, {
    operation: 'listMarketplaces',
    columns: MARKETPLACE_COLUMNS,
    from: `${parts.schema}.marketplaces k`,
    conditions: () => [],
  })
  return route({
    method: 'GET',
    path: '/marketplaces',
    id: 'listMarketplaces',
    summary: 'Marketplaces on which products can be listed',
    tags: ['marketplaces'],
    security: ['bearer'],
    use: [parts.gate.required],
    schema: { query: ListQuery, response: { 200: Page(Marketplace) } },
    handler: ({ query }) => list(query, null, KEYSET),
  })
}

function showRoute({ database, schema, gate }: MarketplaceParts): Route {
  const { one } = marketplaceStatements(schema)
  return route({
    method: 'GET',
    path: '/marketplaces/:id',
    id: 'showMarketplace',
    summary: 'One marketplace',
    tags: ['marketplaces'],
    security: ['bearer'],
    use: [gate.required],
    schema: { params: IdParams, response: { 200: Marketplace } },
    async handler({ params }) {
      const { rows } = await database.query<Static<typeof Marketplace>>(one, [params.id])
      if (!rows[0]) throw problem(404, 'E_NOT_FOUND', `There is no marketplace ${params.id}.`)
      return rows[0]
    },
  })
}
