import { backgroundError, type Clock, toError } from '@tailwater/core'
import type { Queryable } from './queryable.ts'

/** A session that another one waits for. */
export interface Blocker {
  pid: number
  /** `active`, `idle in transaction`, … */
  state: string
  /** What it runs or ran last; hidden when it belongs to another role. */
  query: string
  /** How long its transaction has been open, in seconds. */
  seconds: number
}

/** Watches one backend. */
export interface BlockerWatch {
  begin(pid: number): void
  /** Stops, and resolves to those that were seen in the way last. */
  end(): Promise<Blocker[]>
}

/** Looks per lock timeout: the wait is over by the time it has failed, so those in the way must be asked for while it lasts. */
const LOOKS = 3

/**
 * Notes who blocks a backend while it waits, over another connection, a few times per `lockTimeout`.
 * Where there is only one connection nothing is seen, and nothing is held up.
 */
export function watchBlockers(database: Queryable, clock: Clock, lockTimeout: number): BlockerWatch {
  let seen: Blocker[] = []
  let looking: Promise<void> = Promise.resolve()
  let cancel = () => {}
  let ended = false

  function lookSoon(pid: number): void {
    cancel = clock.after(lockTimeout / LOOKS, () => {
      looking = look(pid).then(() => {
        if (!ended) lookSoon(pid)
      })
    })
  }
  async function look(pid: number): Promise<void> {
    try {
      const found = await blockersOf(database, pid)
      if (found.length > 0) seen = found
    } catch (error) {
      if (backgroundError.hasSubscribers) backgroundError.publish({ source: 'migrations', error: toError(error) })
    }
  }

  return {
    begin(pid) {
      cancel()
      lookSoon(pid)
    },
    async end() {
      ended = true
      cancel()
      await looking
      return seen
    },
  }
}

async function blockersOf(database: Queryable, pid: number): Promise<Blocker[]> {
  const { rows } = await database.query<Blocker>(
    `SELECT a.pid, coalesce(a.state, 'unknown') AS state, left(regexp_replace(coalesce(a.query, ''), '\\s+', ' ', 'g'), 200) AS query,
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS seconds
     FROM unnest(pg_blocking_pids($1::text::integer)) AS blocking (pid) JOIN pg_stat_activity a USING (pid)`,
    [String(pid)],
  )
  return rows
}
