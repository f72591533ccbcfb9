import { noContent, problem, type Route, route } from '@tailwater/http'
import { Type } from 'typebox'
import { Slug } from '../../api/field.ts'
import type { MarketplaceOrder } from '../connector/marketplace_connector.ts'
import { MarketplaceError } from '../connector/marketplace_error.ts'
import type { Connection, Connections } from './connection.ts'
import { type ImportParts, importOrder } from './order_import.ts'

/** What the route is made of. */
export interface WebhookParts {
  connections: Connections
  imports: ImportParts
}

/** The path that a marketplace is given to call, below the API. */
export function webhookPath(slug: string): string {
  return `/marketplace-webhooks/${slug}`
}

/** The route by which marketplaces tell of an order at once. Who calls is known by the signature alone. */
export function webhookRoute({ connections, imports }: WebhookParts): Route {
  return route({
    method: 'POST',
    path: '/marketplace-webhooks/:slug',
    id: 'receiveMarketplaceOrder',
    summary: 'For marketplaces: an order was placed',
    description:
      'Signed with the key that the marketplace shares with us, over the moment, the path and `data` as it stands. The same order again changes nothing; answered when it is taken in or refused for good.',
    tags: ['marketplaces'],
    bodyLimit: 300_000,
    schema: {
      params: Type.Object({ slug: Slug }),
      headers: Type.Object({
        'x-marketplace-timestamp': Type.Optional(Type.Integer({ description: 'Milliseconds since the Unix epoch.' })),
        'x-marketplace-signature': Type.Optional(Type.String({ maxLength: 200 })),
      }),
      body: Type.Object({
        data: Type.String({ maxLength: 262_144, description: "The order as JSON, in the marketplace's own words." }),
      }),
      response: { 204: undefined },
    },
    async handler({ params, headers, body, exchange }) {
      const connection = await connections.called(params.slug)
      const call = {
        path: exchange.path,
        body: body.data,
        timestamp: headers['x-marketplace-timestamp'] ?? 0,
        signature: headers['x-marketplace-signature'] ?? '',
      }
      await importOrder(imports, ...believe(connection, call))
      return noContent()
    },
  })
}

type Call = Parameters<Connection['connector']['readWebhook']>[0]

/** One that we do not know is answered as one whose signature does not fit. */
function believe(connection: Connection | undefined, call: Call): [Connection, MarketplaceOrder] {
  try {
    if (connection) return [connection, connection.connector.readWebhook(call)]
  } catch (error) {
    if (!(error instanceof MarketplaceError)) throw error
    if (error.status !== 401)
      throw problem(400, 'E_MARKETPLACE_WEBHOOK', 'This is no order as it was agreed.', { cause: error })
  }
  throw problem(401, 'E_MARKETPLACE_WEBHOOK', 'The signature does not fit.')
}
