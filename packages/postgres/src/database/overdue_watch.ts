import type { Clock } from '@tailwater/core'
import { Alarm } from './alarm.ts'
import type { Connection } from './connection.ts'
import { tookTooLong } from './perform.ts'

/** How exactly a limit is kept that only this process watches; milliseconds. */
const LOOK_EVERY = 500

/**
 * Ends statements that have run over their limit where the server does not: it may be out of reach, or behind a
 * pooler that drops its settings. One timer for all connections, and none while all rest, because a timer per statement
 * would cost every statement for the sake of a rare one.
 */
export class OverdueWatch {
  readonly #clock: Clock
  readonly #connections: ReadonlySet<Connection>
  readonly #isAtRest: () => boolean
  readonly #alarm: Alarm

  constructor(clock: Clock, connections: ReadonlySet<Connection>, isAtRest: () => boolean) {
    this.#clock = clock
    this.#connections = connections
    this.#isAtRest = isAtRest
    this.#alarm = new Alarm(clock, () => this.#look())
  }

  /** A statement has been handed to one of the connections. */
  wake(): void {
    this.#alarm.set(LOOK_EVERY)
  }

  #look(): void {
    const now = this.#clock.elapsed()
    for (const connection of this.#connections) connection.endOverdue(now, (run) => tookTooLong(run.timeout))
    if (!this.#isAtRest()) this.wake()
  }
}
