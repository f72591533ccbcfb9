import { hasCode, toError } from '@tailwater/core'
import { type Jobs, type Kind, type RunningJob, snooze } from '@tailwater/jobs'
import type { Transaction } from '@tailwater/postgres'
import type { Scope } from '../../accounts/caller.ts'
import { MarketplaceError } from '../connector/marketplace_error.ts'
import { marketplaceWork } from '../marketplace_work.ts'
import type { Connection, Connections } from './connection.ts'
import { type PushParts, pushListings } from './listing_push.ts'
import { pushAnswers } from './order_answers.ts'

/** Which marketplace is to be told. */
export interface PushRequest {
  marketplaceId: number
}

/** Asks for marketplaces to be told. */
export interface Pushing {
  readonly kind: Kind<PushRequest>
  /** Within the transaction that has something to tell. Asked for many times before it begins, it is done once. */
  want(tx: Transaction, marketplaceIds: readonly number[]): Promise<void>
  /** Notes that products have changed, and asks for the marketplaces that list them to be told. */
  productsChanged(tx: Transaction, productIds: readonly number[]): Promise<void>
  /** Has a marketplace told of all of its listings, or so many, whatever it was told before; of how many. */
  tellAnew(tx: Transaction, what: { marketplaceId: number; scope: Scope; limit?: number }): Promise<number>
}

/** Rounds of one job: it ends well before its time is over, and another goes on. */
const ROUNDS = 10
/** How long a marketplace whose breaker is open is left alone. */
const BREAKER_WAIT = '5s'

/** The jobs that tell marketplaces whatever they have to be told: answers to their orders, and listings. */
export function definePushing(jobs: Jobs, parts: PushParts & { connections: Connections }): Pushing {
  const { statements, connections } = parts
  const kind = jobs.define<PushRequest>({ kind: 'marketplace-push', ...marketplaceWork, run: (job) => run(job) })

  async function want(tx: Transaction, marketplaceIds: readonly number[]): Promise<void> {
    if (marketplaceIds.length === 0) return
    const { rows } = await tx.query<{ id: number }>(statements.want, [marketplaceIds])
    for (const { id } of rows) await kind.enqueue({ marketplaceId: id }, { tx })
  }

  async function run({ payload: { marketplaceId }, signal }: RunningJob<PushRequest>): Promise<unknown> {
    const connection = await connections.of(marketplaceId)
    if (!connection) return { told: false }
    const { database } = parts
    // Before anything is read: what changes from here on asks for another job.
    await database.query(statements.begin, [marketplaceId])
    try {
      await pushAnswers(parts, connection, signal)
      let hasMore = true
      for (let round = 0; hasMore && round < ROUNDS; round++) hasMore = await pushListings(parts, connection, signal)
      await database.query(statements.succeeded, [marketplaceId])
      if (hasMore) await database.transaction((tx) => want(tx, [marketplaceId]))
      return { told: true }
    } catch (error) {
      return putOff(parts, connection, error)
    }
  }

  return {
    kind,
    want,
    async tellAnew(tx, { marketplaceId, scope, limit }) {
      const { rows } = await tx.query<{ count: number }>(statements.markAgain, [marketplaceId, scope, limit ?? null])
      await want(tx, [marketplaceId])
      return rows[0]!.count
    },
    async productsChanged(tx, productIds) {
      const ids = [...(await connections.all()).keys()]
      if (ids.length === 0) return
      const { rows } = await tx.query<{ id: number }>(statements.mark, [productIds, ids])
      await want(
        tx,
        rows.map(({ id }) => id),
      )
    },
  }
}

/** One that wants to be left alone is; whatever else went wrong is a failed attempt. */
async function putOff({ database, statements }: PushParts, { id }: Connection, error: unknown): Promise<unknown> {
  await database.query(statements.failed, [id, toError(error).message.slice(0, 500)])
  if (hasCode(error, 'E_MESSAGE_BREAKER_OPEN')) return snooze(BREAKER_WAIT)
  if (error instanceof MarketplaceError && error.code === 'E_MARKETPLACE_LIMITED')
    return snooze(error.retryAfter ?? 1_000)
  throw error
}
