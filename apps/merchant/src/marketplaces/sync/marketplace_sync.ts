import type { Clock, Service } from '@tailwater/core'
import type { Route } from '@tailwater/http'
import type { Jobs, Kind } from '@tailwater/jobs'
import type { Messaging } from '@tailwater/messaging'
import type { Database } from '@tailwater/postgres'
import type { Gate } from '../../accounts/caller.ts'
import type { Notice } from '../../notifications/notify.ts'
import { Connections, type MarketplaceAccount } from './connection.ts'
import { importStatements } from './import_statements.ts'
import type { ImportParts } from './order_import.ts'
import { pushStatements } from './push_statements.ts'
import { createRefusalNotices } from './refusal_notices.ts'
import { statusStatements } from './status_statements.ts'
import { definePushing, type Pushing } from './sync_jobs.ts'
import { createSyncRounds, goRound } from './sync_rounds.ts'
import { syncRoutes } from './sync_routes.ts'
import { webhookRoute } from './webhook_route.ts'

/** What keeping in step with marketplaces is made of. */
export interface MarketplaceSyncParts extends Pick<ImportParts, 'orders' | 'stock' | 'flow' | 'changes' | 'events'> {
  database: Database
  /** Quoted and ready to interpolate. */
  schema: string
  jobs: Jobs
  messaging: Messaging
  clock: Clock
  gate: Gate
  notify: Kind<Notice>
  accounts: readonly MarketplaceAccount[]
  /** Milliseconds between two rounds. */
  interval?: number | undefined
}

/** The shop on other people's marketplaces. */
export interface MarketplaceSync {
  routes: Route[]
  rounds: Service
  /** One round, now, of the marketplaces whose turn it is; orders that were new. */
  ask(): Promise<number>
  /** Has every marketplace told of so many of its listings, as if it had never heard of any; of how many. */
  tellAnew(limit: number): Promise<number>
  pushing: Pushing
}

/** Puts together what goes out to marketplaces and what comes in from them. */
export function createMarketplaceSync(parts: MarketplaceSyncParts): MarketplaceSync {
  const { database, schema, jobs, clock, gate, interval } = parts
  const statements = statusStatements(schema)
  const push = pushStatements(schema)
  const connections = new Connections({ ...parts, statements })
  const pushing = definePushing(jobs, { database, statements: push, connections })
  const refusals = createRefusalNotices(parts.notify)
  const imports: ImportParts = { ...parts, statements: importStatements(schema), pushing, refusals }
  const round = {
    database,
    statements: push,
    imports,
    connections,
    pushing,
    clock,
    ...(interval !== undefined && { interval }),
  }
  return {
    routes: [
      ...syncRoutes({ database, statements, connections, pushing, gate }),
      webhookRoute({ connections, imports }),
    ],
    rounds: createSyncRounds(round),
    ask: () => goRound(round, new AbortController().signal),
    async tellAnew(limit) {
      const ids = [...(await connections.all()).keys()]
      await database.query(push.forget, [ids])
      let count = 0
      for (const marketplaceId of ids)
        count += await database.transaction((tx) => pushing.tellAnew(tx, { marketplaceId, scope: null, limit }))
      return count
    },
    pushing,
  }
}
