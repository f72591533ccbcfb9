import type { Connection } from './connection.ts'
import { StatementPace } from './statement_pace.ts'
import { StatementRun } from './statement_run.ts'
import { type Waiter, WaitingLine } from './waiting_line.ts'
import { isDescribed } from './wire.ts'

/*
 * The lane of quick reads.
 *
 * Problem: for a statement of a tenth of a millisecond the way costs as much as the work, and a server with more statements under way than
 * cores does each of them later, and all of them dearer.
 *
 * Method: named reads (`database.reader`) that have been quick are carried by few connections. Those that come in one turn of the event loop wait for
 * its end, and while all carriers are under way, further ones wait for one to come back; then each free carrier takes its share of them in one
 * go (`StatementBatch`). So there are batches only under load, no read waits for another that has not come yet, and everything else finds connections free.
 *
 * Numbers: two connections, so that the server has work while we read answers, and one more for each millisecond that a quick
 * read takes on average (by Little's law that is also what a saturated server needs), at most the pool's `min`. A batch
 * is of 16 reads at most, and of 20 ms, because nobody has an answer before the last of it has its own.
 */
const LEAST_CARRIERS = 2
const MOST_SHARERS = 16
const BATCH_TIME = 20

/** Quick reads that wait, and the connections that carry such. */
export class ReadLane {
  readonly pace = new StatementPace()
  readonly line = new WaitingLine()
  readonly #carriers = new Set<Connection>()

  /** Whether a waiter belongs here. */
  takes(waiter: Waiter): waiter is StatementRun {
    if (!(waiter instanceof StatementRun) || !waiter.repeatable || waiter.alone) return false
    return waiter.name !== undefined && this.pace.isQuick(waiter.name)
  }

  /** Whether one connection more may carry reads. @param most the pool's `min` */
  hasRoom(most: number): boolean {
    return this.#carriers.size < this.#allowed(most)
  }

  /** A connection is at rest, or gone. */
  release(connection: Connection): void {
    this.#carriers.delete(connection)
  }

  /** Those at the head of the line who go together on a connection: an even share for each that may carry, at most. */
  next(connection: Connection, most: number): StatementRun[] {
    const first = this.line.next() as StatementRun | undefined
    if (!first) return []
    const reads = [first]
    const free = Math.max(1, this.#allowed(most) - this.#carriers.size)
    const share = Math.min(MOST_SHARERS, BATCH_TIME / this.pace.mean, Math.ceil((this.line.size + 1) / free))
    const isKnown = (waiter: Waiter) => isKnownTo(connection, waiter as StatementRun)
    while (reads.length + 1 <= share && isKnown(first)) {
      const next = this.line.nextIf(isKnown) as StatementRun | undefined
      if (!next) break
      reads.push(next)
    }
    return reads
  }

  /** Sends reads over a connection at rest. */
  carry([first, ...others]: readonly StatementRun[], connection: Connection): void {
    this.#carriers.add(connection)
    if (others.length === 0) connection.run(first!)
    else connection.runTogether([first!, ...others])
  }

  #allowed(most: number): number {
    return Math.max(1, Math.min(most, LEAST_CARRIERS + Math.ceil(this.pace.mean)))
  }
}

function isKnownTo({ client }: Connection, { name, text }: StatementRun): boolean {
  return name !== undefined && isDescribed(client, name, text)
}
