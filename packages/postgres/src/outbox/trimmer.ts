import { type Clock, notice, type Service } from '@tailwater/core'
import { createLoop, pause, report } from '../loop.ts'
import type { Queryable } from '../queryable.ts'
import type { OutboxSql } from './sql.ts'

/** How long rows stay. */
export interface TrimmerOptions {
  database: Queryable
  sql: OutboxSql
  clock: Clock
  /** Milliseconds that a row stays after it got its place, so that a process that was cut off can catch up. */
  retention: number
  /** Rows that stay at most, however young. */
  maxRows: number
}

/** Milliseconds between two rounds. */
const EVERY = 10_000
/** Rows looked at by one statement. */
const BATCH = 5_000
/** A consumer behind by this many messages is spoken of. */
const FAR_BEHIND = 100_000

/**
 * Deletes rows from the front of the line, in small statements. A row that a consumer has yet to handle stays, whatever its age: only such rows
 * are passed over, and looked at again after another retention.
 *
 * Every process does this: two at once find nothing left to do for the second.
 */
export function createTrimmer({ database, sql, clock, retention, maxRows }: TrimmerOptions): Service {
  let from = 0n
  let againFromFront = 0

  async function round(signal: AbortSignal): Promise<void> {
    if (clock.elapsed() >= againFromFront) {
      from = 0n
      againFromFront = clock.elapsed() + retention
    }
    for (let isMore = true; isMore && !signal.aborted; ) {
      const { rows } = await database.query<{ expired: number; seen: string | null }>(sql.trim, [
        String(from),
        String(BATCH),
        String(retention),
        String(maxRows),
      ])
      const { expired, seen } = rows[0]!
      if (seen !== null) from = BigInt(seen)
      isMore = expired === BATCH
    }
  }

  async function speakOfLaggards(): Promise<void> {
    if (!notice.hasSubscribers) return
    const { rows } = await database.query<{ name: string; behind: string; lastError: string | null }>(sql.list)
    for (const { name, behind, lastError } of rows) {
      if (Number(behind) < FAR_BEHIND) continue
      const why = lastError === null ? 'no process serves it' : `it fails: ${lastError}`
      const message = `consumer '${name}' is ${behind} messages behind and keeps them from being trimmed (${why}); removeConsumer('${name}') lets go of them`
      notice.publish({ source: 'outbox', level: 'warn', message, fields: { consumer: name, behind: Number(behind) } })
    }
  }

  return createLoop('outbox trimmer', clock, async (signal) => {
    for (;;) {
      await pause(clock, EVERY, signal)
      if (signal.aborted) return
      try {
        await round(signal)
        await speakOfLaggards()
      } catch (error) {
        report('outbox trimmer', error)
      }
    }
  })
}
