import { backgroundError, type Cancel, type Clock, createService, type Service, toError } from '@tailwater/core'
import type { Connections } from './connection.ts'
import { type ReadingParts, readOrders } from './order_reading.ts'
import type { Pushing } from './sync_jobs.ts'

/** What the rounds are made of. */
export interface RoundParts extends ReadingParts {
  connections: Connections
  pushing: Pick<Pushing, 'kind'>
  clock: Clock
  /** Milliseconds between two rounds. @default 15_000 */
  interval?: number
}

/** Milliseconds: a webhook tells of an order at once, so this is how late one is whose webhook was lost. */
const INTERVAL = 15_000

/**
 * Goes round all marketplaces once: asks for their orders, and has those told for which something was left. Processes take turns: whoever comes first asks.
 *
 * @returns orders that were new
 */
export async function goRound(parts: RoundParts, signal: AbortSignal): Promise<number> {
  const { database, statements, connections, pushing, interval = INTERVAL } = parts
  const all = await connections.all()
  if (all.size === 0) return 0
  const ids = [...all.keys()]
  // A little early is in time: timers are not exact.
  const turns = await database.query<{ id: number; cursor: string | null }>(statements.takeTurn, [
    ids,
    Math.floor(interval * 0.9),
  ])
  const read = turns.rows.map(async ({ id, cursor }) => {
    try {
      return await readOrders(parts, all.get(id)!, cursor, signal)
    } catch (error) {
      await database.query(statements.failed, [id, toError(error).message.slice(0, 500)])
      return 0
    }
  })
  const counts = await Promise.all(read)
  const left = await database.query<{ id: number }>(statements.left, [turns.rows.map(({ id }) => id)])
  for (const { id } of left.rows) await pushing.kind.enqueue({ marketplaceId: id }, { unique: { by: 'payload' } })
  return counts.reduce((sum, count) => sum + count, 0)
}

/** Goes round at once when it is started, and again and again; what goes wrong is published, and tried again in the next round. */
export function createSyncRounds(parts: RoundParts): Service {
  const { clock, interval = INTERVAL } = parts
  let cancel: Cancel = () => {}
  let leaving = new AbortController()
  let going: Promise<unknown> | undefined

  function begin(): void {
    cancel = clock.after(interval, begin)
    going ??= goRound(parts, leaving.signal)
      .catch((error: unknown) => {
        if (leaving.signal.aborted) return
        if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'marketplaces', error: toError(error) })
      })
      .finally(() => {
        going = undefined
      })
  }

  return createService('marketplace-rounds', {
    start() {
      leaving = new AbortController()
      begin()
    },
    async stop() {
      cancel()
      leaving.abort(new Error('the process stops'))
      await going
    },
  })
}
