import type { Connection } from './connection.ts'
import { cancelled } from './perform.ts'
import type { Waiter } from './waiting_line.ts'

/** A caller that wants a connection for itself. */
export class HoldRequest implements Waiter {
  since = 0
  leave: (() => void) | undefined
  readonly connection: Promise<Connection>
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (connection: Connection) => void
  readonly #reject: (error: unknown) => void

  constructor(signal: AbortSignal | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<Connection>()
    this.connection = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  take(connection: Connection): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    connection.held = true
    this.#resolve(connection)
  }

  fail(error: unknown): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#reject(error)
  }

  readonly #onAbort = () => {
    this.leave?.()
    this.#reject(cancelled(this.#signal!))
  }
}
