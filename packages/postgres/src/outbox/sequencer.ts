import type { Clock } from '@tailwater/core'
import type { Queryable } from '../queryable.ts'
import { sharedRun } from '../shared_run.ts'
import type { Line } from './line.ts'
import type { OutboxSql } from './sql.ts'

/** Rows put in line by one call. */
const BATCH = 1_000
/** Milliseconds after which a call begins at the first id again, should a server that was restored from a backup give ids a second time. */
const FORGET_AFTER = 60_000

/** Puts committed rows in line. */
export interface Sequencer {
  /** Resolves to how many rows were put in line, once every row committed before the call is. Calls that come while one is under way share the next. */
  run(): Promise<number>
}

interface LineRow {
  last: string
  moved: number
  top: string | null
  bound: string | null
  running: string
}

/**
 * Any process may do this at any time; the server lets one in at a time (outbox_line in migration.ts).
 *
 * Rows that are put in line leave dead entries in the index of waiting ones, and a long transaction anywhere keeps them from being cleaned.
 * So each call begins at `low`: no row up to there can be waiting. It is learnt in two steps. A call notes the
 * highest id drawn (`top`) and a transaction id assigned after that (`bound`); every row up to `top` belongs to a transaction at most `bound`. Once a
 * later call finds all of those ended and then no more rows than it can take, whatever they committed is in line.
 */
export function createSequencer(database: Queryable, sql: OutboxSql, line: Line, clock: Clock): Sequencer {
  let low = 0n
  let candidate: { top: bigint; bound: bigint } | undefined
  let forgetAt = clock.elapsed() + FORGET_AFTER

  async function putInLine(): Promise<number> {
    let total = 0
    if (clock.elapsed() >= forgetAt) forget()
    for (;;) {
      const before = line.last
      const { rows } = await database.query<LineRow>(sql.line, [String(low), String(BATCH)])
      const row = rows[0]!
      learn(row)
      const last = BigInt(row.last)
      if (last < before) {
        forget()
        line.shorten(last)
      } else line.reach(last)
      total += row.moved
      if (row.moved < BATCH) return total
    }
  }

  function forget(): void {
    low = 0n
    candidate = undefined
    forgetAt = clock.elapsed() + FORGET_AFTER
  }

  function learn({ moved, top, bound, running }: LineRow): void {
    if (moved === BATCH) return
    if (candidate && BigInt(running) > candidate.bound) {
      low = candidate.top
      candidate = undefined
    }
    if (top !== null && bound !== null) candidate ??= { top: BigInt(top), bound: BigInt(bound) }
  }

  return { run: sharedRun(putInLine) }
}
