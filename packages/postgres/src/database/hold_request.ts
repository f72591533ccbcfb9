import type { Connection } from './connection.ts'

/** Somebody in a pool's queue. */
export interface Waiter {
  since: number
  queue: Set<unknown> | undefined
  readonly abandoned: Error | undefined
  take(connection: Connection): void
  fail(error: unknown): void
}

/** A caller that wants a connection for itself. */
export class HoldRequest implements Waiter {
  since = 0
  queue: Set<unknown> | undefined
  abandoned: Error | undefined
  settled: (() => void) | undefined
  readonly #resolve: (connection: Connection) => void
  readonly #reject: (error: unknown) => void

  constructor(resolve: (connection: Connection) => void, reject: (error: unknown) => void) {
    this.#resolve = resolve
    this.#reject = reject
  }

  take(connection: Connection): void {
    this.settled?.()
    connection.held = true
    this.#resolve(connection)
  }

  fail(error: unknown): void {
    this.settled?.()
    this.#reject(error)
  }
}
