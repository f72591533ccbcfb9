import { backgroundError, type Clock, createService, type Service, sleep, toError } from '@tailwater/core'
import type { Queryable } from '@tailwater/postgres'
import { BITE, type CacheStatements } from './statements.ts'

/** Takes away what has expired, in bites, again and again; several processes share the work. A failure is published, and the next turn tries again. */
export function createTrim(
  database: Queryable,
  { sql, interval, clock }: { sql: CacheStatements; interval: number; clock: Clock },
): Service {
  let stopping = new AbortController()
  let running: Promise<void> = Promise.resolve()

  async function takeAway(statement: 'trimEntries' | 'trimTags', signal: AbortSignal): Promise<void> {
    for (let taken = BITE; taken === BITE && !signal.aborted; )
      taken = (await database.query(sql[statement], [BITE], { signal })).rows.length
  }

  async function turn(signal: AbortSignal): Promise<void> {
    try {
      await sleep(clock, interval, signal)
      await takeAway('trimEntries', signal)
      await takeAway('trimTags', signal)
    } catch (error) {
      if (!signal.aborted && backgroundError.hasSubscribers)
        backgroundError.publish({ source: 'cache trim', error: toError(error) })
    }
  }

  async function run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) await turn(signal)
  }

  return createService('cache trim', {
    start() {
      stopping = new AbortController()
      running = run(stopping.signal)
    },
    async stop() {
      stopping.abort()
      // The signal ends a statement that is under way.
      await running
    },
  })
}
