import { Id, json, Nullable, OneOf, problem, type Route, route } from '@tailwater/http'
import type { BreakerState } from '@tailwater/messaging'
import type { Database } from '@tailwater/postgres'
import { type Static, Type } from 'typebox'
import { type Gate, knownScopeOf, ScopeQuery } from '../../accounts/caller.ts'
import { IdParams, Moment, Slug } from '../../api/field.ts'
import type { Connections } from './connection.ts'
import type { statusStatements } from './status_statements.ts'
import type { Pushing } from './sync_jobs.ts'

/** What the routes are made of. */
export interface SyncRouteParts {
  database: Database
  statements: ReturnType<typeof statusStatements>
  connections: Connections
  pushing: Pick<Pushing, 'tellAnew'>
  gate: Gate
}

const MaybeMoment = Nullable(Moment)

const Status = Type.Object({
  marketplaceId: Id,
  slug: Slug,
  isConnected: Type.Boolean({ description: 'Whether we talk to it.' }),
  breaker: Nullable(
    Type.Unsafe<BreakerState>({
      ...OneOf(['closed', 'open', 'half-open']),
      description: 'Of the process that answers; each has its own.',
    }),
  ),
  listingsWaiting: Type.Integer({ description: 'Listings of which it has yet to hear.' }),
  waitingSince: MaybeMoment,
  lagSeconds: Type.Number({ description: 'How long the longest of them has waited.' }),
  ordersAccepted: Type.Integer({ description: 'Within the last 24 hours.' }),
  ordersRefused: Type.Integer({ description: 'Within the last 24 hours.' }),
  ordersUnanswered: Type.Integer({ description: 'Of those, orders whose answer it has yet to hear.' }),
  latestOrderAt: MaybeMoment,
  readAt: Nullable({ ...Moment, description: 'When it was last asked for orders, and answered.' }),
  toldAt: Nullable({ ...Moment, description: 'When it was last told all that there was to tell.' }),
  failedAt: MaybeMoment,
  error: Nullable(Type.String({ description: 'What went wrong since; null once it has gone well again.' })),
})

type StatusRow = Omit<Static<typeof Status>, 'isConnected' | 'breaker'>

const tags = ['marketplaces']
const security = ['bearer']

/** The routes that show how well marketplaces and we agree, and that have them told anew. */
export function syncRoutes(parts: SyncRouteParts): Route[] {
  return [statusRoute(parts), repeatRoute(parts)]
}

function statusRoute({ database, statements, connections, gate }: SyncRouteParts): Route {
  return route({
    method: 'GET',
    path: '/marketplaces/:id/sync',
    id: 'showMarketplaceSync',
    summary: 'How far behind a marketplace is, and what goes wrong',
    description: 'Merchants see their own listings and orders, administrators those of all.',
    tags,
    security,
    use: [gate.required],
    schema: { params: IdParams, query: Type.Object({ ...ScopeQuery }), response: { 200: Status } },
    async handler({ params: { id }, query, exchange }) {
      const { rows } = await database.query<StatusRow>(statements.status, [id, knownScopeOf(exchange, query.merchant)])
      if (!rows[0]) throw unknownMarketplace(id)
      const connection = await connections.of(id)
      const breaker = connection?.policy.state.breaker ?? null
      return json(
        { ...rows[0], isConnected: connection !== undefined, breaker },
        { headers: { 'cache-control': 'no-store' } },
      )
    },
  })
}

function repeatRoute({ database, connections, pushing, gate }: SyncRouteParts): Route {
  return route({
    method: 'POST',
    path: '/marketplaces/:id/sync',
    id: 'repeatMarketplaceSync',
    summary: 'Tell a marketplace of all listings anew',
    description: 'For one that has lost them, or whose state nobody knows. Changes that come meanwhile go first.',
    tags,
    security,
    use: [gate.required],
    schema: {
      params: IdParams,
      query: Type.Object({ ...ScopeQuery }),
      response: { 202: Type.Object({ listings: Type.Integer({ description: 'How many it is told of.' }) }) },
    },
    async handler({ params: { id }, query, exchange }) {
      if (!(await connections.of(id))) throw unknownMarketplace(id)
      const scope = knownScopeOf(exchange, query.merchant)
      const listings = await database.transaction((tx) => pushing.tellAnew(tx, { marketplaceId: id, scope }))
      return json({ listings }, { status: 202 })
    },
  })
}

function unknownMarketplace(id: number) {
  return problem(404, 'E_NOT_FOUND', `There is no marketplace ${id} that we talk to.`)
}
